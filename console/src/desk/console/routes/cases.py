"""The pages of experts: lists, a case and its actions, one answer to many cases, files and figures."""

from collections.abc import AsyncIterator
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, Query, Request, Response, UploadFile
from fastapi.responses import StreamingResponse

from desk.console.domain.accounts import UserSession
from desk.console.domain.cases import FILE_BYTES_MAX, FILES_MAX
from desk.console.domain.errors import ConsoleError, FieldError, FileUnavailableError
from desk.console.routes.dependencies import RequireFormWord, Services, ServicesDep, SignedIn, redirect
from desk.console.routes.pages import render_page
from desk.console.service.experts import Referral
from desk.console.store.lists import PAGE_SIZE, ListName, ListQuery
from desk.console.store.reports import NewFile
from desk.expert import FileDamagedError, FileRefusedError
from desk.iran.provinces import PROVINCES, UnknownProvinceError, province

router = APIRouter()
Text = Annotated[str, Form()]
MAX_PAGE = 10_000
MAX_SEARCH_LENGTH = 100
CHUNK = 64 * 1024


@router.get("/cases")
async def show_list(
    request: Request,
    services: ServicesDep,
    user_session: SignedIn,
    *,
    listed: Annotated[ListName | None, Query(alias="list")] = None,
    subject: Annotated[str, Query(max_length=40)] = "",
    q: Annotated[str, Query(max_length=MAX_SEARCH_LENGTH)] = "",
    number: Annotated[int, Query(alias="page", ge=1, le=MAX_PAGE)] = 1,
    done: str = "",
) -> Response:
    """Show a list; a search covers all cases unless a list is named."""
    account = user_session.account
    query = ListQuery(
        province=account.province,
        account=account.id,
        supervisor=account.supervisor,
        list=listed or (ListName.ALL if q.strip() else ListName.OPEN),
        now=services.clock(),
        sub_subject=subject,
        search=q,
        page=number,
    )
    found = await services.experts.page(query)
    return render_page(
        request, "cases.html", user_session, query=query, found=found, lists=ListName, size=PAGE_SIZE, done=done
    )


@router.get("/dashboard")
async def show_figures(request: Request, services: ServicesDep, user_session: SignedIn) -> Response:
    """Show the figures of the province."""
    return render_page(
        request, "dashboard.html", user_session, figures=await services.experts.figures(user_session.account)
    )


@router.post("/cases/many", dependencies=[RequireFormWord])
async def choose_many(
    request: Request,
    services: ServicesDep,
    user_session: SignedIn,
    code: Annotated[list[str] | None, Form()] = None,
    template: Text = "",
) -> Response:
    """Show the chosen cases with a form for one answer to all."""
    return await _many(request, services, user_session, _digits(code), template=template)


@router.post("/cases/many/answer", dependencies=[RequireFormWord])
async def answer_many(
    request: Request,
    services: ServicesDep,
    user_session: SignedIn,
    code: Annotated[list[str] | None, Form()] = None,
    text: Text = "",
) -> Response:
    """Answer all chosen cases, and show which could not be answered and why."""
    codes = _digits(code)
    try:
        done, refused = await services.experts.answer_many(user_session.account, codes, text)
    except FieldError as error:
        return await _many(request, services, user_session, codes, error=error, text=text)
    return render_page(request, "many_done.html", user_session, answered=done, refused=refused)


def _digits(codes: list[str] | None) -> list[str]:
    return [code for code in codes or [] if code.isascii() and code.isdigit()][:PAGE_SIZE]


async def _many(
    request: Request,
    services: Services,
    user_session: UserSession,
    codes: list[str],
    *,
    template: str = "",
    error: FieldError | None = None,
    text: str = "",
) -> Response:
    chosen = await services.experts.find_cases(user_session.account.province, codes)
    if not chosen:
        return redirect(request, "/cases?done=none")
    templates = await services.experts.templates(user_session.account.province)
    if template:
        text = next((each.text for each in templates if each.id == template), text)
    status = error.status if error else 200
    return render_page(
        request, "many.html", user_session, status=status, chosen=chosen, templates=templates, error=error, text=text
    )


@router.get("/cases/{code}")
async def show_case(
    request: Request, services: ServicesDep, user_session: SignedIn, *, code: str, template: str = "", done: str = ""
) -> Response:
    """Show a case; ``template`` fills the answer with a prepared text."""
    return await _case(request, services, user_session, code, template=template, done=done)


async def _case(
    request: Request,
    services: Services,
    user_session: UserSession,
    code: str,
    *,
    template: str = "",
    done: str = "",
    error: ConsoleError | None = None,
    typed: dict[str, str] | None = None,
) -> Response:
    view = await services.experts.view(user_session.account.province, code)
    now = services.clock()
    typed = dict(typed or {})
    if template:
        typed["text"] = next((each.text for each in view.templates if each.id == template), "")
    return render_page(
        request,
        "case.html",
        user_session,
        status=error.status if error else 200,
        view=view,
        case=view.record.case,
        request_=view.record.request,
        now=now,
        holder=view.record.case.holder(now),
        obstacle=await services.experts.obstacle(user_session.account, view.record.case),
        typed=typed,
        error=error,
        done=done,
        provinces=PROVINCES,
        subjects=await services.subjects.list_subjects(user_session.account.province),
        files_max=FILES_MAX,
    )


@router.post("/cases/{code}/take", dependencies=[RequireFormWord])
async def claim(request: Request, services: ServicesDep, user_session: SignedIn, code: str) -> Response:
    """Claim a case."""
    try:
        await services.experts.claim(user_session.account, code)
    except ConsoleError as error:
        return await _case(request, services, user_session, code, error=error)
    return redirect(request, f"/cases/{code}?done=taken")


@router.post("/cases/{code}/release", dependencies=[RequireFormWord])
async def release(request: Request, services: ServicesDep, user_session: SignedIn, code: str) -> Response:
    """End a claim; a supervisor may end that of an expert."""
    try:
        await services.experts.release(user_session.account, code)
    except ConsoleError as error:
        return await _case(request, services, user_session, code, error=error)
    return redirect(request, f"/cases/{code}?done=released")


@router.post("/cases/{code}/answer", dependencies=[RequireFormWord])
async def answer(
    request: Request,
    services: ServicesDep,
    user_session: SignedIn,
    *,
    code: str,
    text: Text = "",
    files: list[UploadFile] | None = None,
) -> Response:
    """Answer a case."""
    try:
        await services.experts.answer(user_session.account, code, text, await _read(files or []))
    except ConsoleError as error:
        return await _case(request, services, user_session, code, error=error, typed={"text": text})
    return redirect(request, f"/cases/{code}?done=answered")


@router.post("/cases/{code}/ask", dependencies=[RequireFormWord])
async def ask(
    request: Request, services: ServicesDep, user_session: SignedIn, code: str, question: Text = ""
) -> Response:
    """Ask the applicant a question."""
    try:
        await services.experts.ask(user_session.account, code, question)
    except ConsoleError as error:
        return await _case(request, services, user_session, code, error=error, typed={"question": question})
    return redirect(request, f"/cases/{code}?done=asked")


@router.post("/cases/{code}/reject", dependencies=[RequireFormWord])
async def reject(
    request: Request, services: ServicesDep, user_session: SignedIn, code: str, rejection: Text = ""
) -> Response:
    """Reject a request."""
    try:
        await services.experts.reject(user_session.account, code, rejection)
    except ConsoleError as error:
        return await _case(request, services, user_session, code, error=error, typed={"rejection": rejection})
    return redirect(request, f"/cases/{code}?done=rejected")


@router.post("/cases/{code}/refer", dependencies=[RequireFormWord])
async def refer(
    request: Request,
    services: ServicesDep,
    user_session: SignedIn,
    code: str,
    *,
    to_province: Text = "",
    to_subject: Text = "",
    referral: Text = "",
) -> Response:
    """Refer a case."""
    try:
        to = await _target(services, user_session, to_province, to_subject)
        await services.experts.refer(user_session.account, code, to, referral)
    except ConsoleError as error:
        typed = {"to_province": to_province, "to_subject": to_subject, "referral": referral}
        return await _case(request, services, user_session, code, error=error, typed=typed)
    return redirect(request, f"/cases/{code}?done=referred")


async def _target(services: Services, user_session: UserSession, to_province: str, to_subject: str) -> Referral:
    own = user_session.account.province
    try:
        key = province(to_province or own).key
    except UnknownProvinceError:
        raise FieldError("to_province", "استان را از فهرست انتخاب کنید.") from None
    if not to_subject:
        if key == own:
            raise FieldError("to_province", "استان دیگری یا موضوع دیگری را انتخاب کنید.")
        return Referral(key)
    subject, sub_subject = await services.subjects.find(own, to_subject)
    return Referral(key, subject, sub_subject)


async def _read(files: list[UploadFile]) -> list[NewFile]:
    """Read the chosen files. Raises FieldError."""
    chosen = [file for file in files if file.filename]
    if len(chosen) > FILES_MAX:
        raise FieldError("files", "حداکثر ۵ فایل می‌توانید بفرستید.")
    read = []
    for file in chosen:
        content = await file.read(FILE_BYTES_MAX + 1)
        if not content or len(content) > FILE_BYTES_MAX:
            raise FieldError("files", f"فایل «{file.filename}» خالی است یا از ۵ مگابایت بزرگ‌تر است.")
        read.append(NewFile(str(file.filename)[-200:], content))
    return read


@router.get("/cases/{code}/files/{file_id}")
async def show_file(services: ServicesDep, user_session: SignedIn, code: str, file_id: str) -> Response:
    """Stream a file of the applicant from the desk, as a download: it must not be shown with the page's origin."""
    file, opening = await services.experts.open_file(user_session.account, code, file_id)
    try:
        chunks = await opening.__aenter__()
    except FileRefusedError:
        raise FileUnavailableError from None

    async def content() -> AsyncIterator[bytes]:
        try:
            async for chunk in chunks:
                yield chunk
        except FileDamagedError as error:  # abort the response, so that the caller does not accept the damaged file
            await opening.__aexit__(type(error), error, error.__traceback__)
            raise
        await opening.__aexit__(None, None, None)

    return StreamingResponse(
        content(),
        media_type="application/octet-stream",
        headers={
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(file.name)}",
            "Content-Length": str(file.size),
        },
    )
