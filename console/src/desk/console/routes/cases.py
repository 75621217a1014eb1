"""The pages of experts: lists, a case and its actions, files of applicants and figures."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, Query, Request, Response, UploadFile
from fastapi.responses import StreamingResponse

from desk.console.domain.accounts import UserSession
from desk.console.domain.cases import FILES_MAX
from desk.console.domain.errors import ConsoleError, FieldError, FileUnavailableError
from desk.console.routes.dependencies import RequireFormWord, Services, ServicesDep, SignedIn, redirect
from desk.console.routes.files import read_files
from desk.console.routes.pages import render_page
from desk.console.routes.typed import TEXTS, Typed, TypedDep, has_text
from desk.console.service.experts import Referral
from desk.console.store.lists import PAGE_SIZE, ListName, ListQuery
from desk.console.store.templates import with_template
from desk.expert import FileDamagedError, FileRefusedError
from desk.files.types import FILE_BYTES_MAX
from desk.iran.offices import OFFICES, UnknownOfficeError, office

router = APIRouter()
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
    await services.readings.record_search(account, q)
    found = await services.experts.page(query)
    return render_page(
        request,
        "cases.html",
        user_session,
        query=query,
        found=found,
        lists=ListName,
        size=PAGE_SIZE,
        done=done,
        drafts=await services.drafts.subjects(account.id),
    )


@router.get("/dashboard")
async def show_figures(request: Request, services: ServicesDep, user_session: SignedIn) -> Response:
    """Show the figures of the province."""
    await services.readings.record_figures(user_session.account)
    return render_page(
        request, "dashboard.html", user_session, figures=await services.experts.figures(user_session.account)
    )


@router.get("/cases/{code}")
async def show_case(
    request: Request, services: ServicesDep, user_session: SignedIn, *, code: str, done: str = ""
) -> Response:
    """Show a case."""
    response = await render_case(request, services, user_session, code, done=done)
    await services.experts.open_case(user_session.account, code)
    return response


async def render_case(
    request: Request,
    services: Services,
    user_session: UserSession,
    code: str,
    *,
    done: str = "",
    error: ConsoleError | None = None,
    typed: Typed | None = None,
) -> Response:
    """Render a case; ``typed`` fills its forms, otherwise the draft that was kept for the account."""
    account = user_session.account
    view = await services.experts.view(account.province, code)
    now = services.clock()
    draft = await services.drafts.find(account.id, code) if typed is None else {}
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
        obstacle=await services.experts.obstacle(account, view.record.case),
        typed=typed or draft,
        draft=has_text(draft),
        error=error,
        done=done,
        offices=OFFICES,
        colleagues=await services.colleagues.list_colleagues(account),
        related=await services.colleagues.related(account, view.record),
        subjects=await services.subjects.list_subjects(account.province),
        files_max=FILES_MAX,
        bytes_max=FILE_BYTES_MAX,
    )


@router.post("/cases/{code}/take", dependencies=[RequireFormWord])
async def claim(request: Request, services: ServicesDep, user_session: SignedIn, code: str) -> Response:
    """Claim a case."""
    try:
        await services.experts.claim(user_session.account, code)
    except ConsoleError as error:
        return await render_case(request, services, user_session, code, error=error)
    return redirect(request, f"/cases/{code}?done=taken")


@router.post("/cases/{code}/release", dependencies=[RequireFormWord])
async def release(
    request: Request, services: ServicesDep, user_session: SignedIn, code: str, typed: TypedDep
) -> Response:
    """End a claim; a supervisor may end that of an expert."""
    try:
        await services.experts.release(user_session.account, code)
    except ConsoleError as error:
        return await render_case(request, services, user_session, code, error=error, typed=typed)
    if has_text(typed):
        await services.drafts.keep_rest(user_session.account.id, code, typed)
    return redirect(request, f"/cases/{code}?done=released")


@router.post("/cases/{code}/template", dependencies=[RequireFormWord])
async def insert_template(
    request: Request,
    services: ServicesDep,
    user_session: SignedIn,
    *,
    code: str,
    typed: TypedDep,
    template: Annotated[str, Form()] = "",
) -> Response:
    """Append a prepared text to the answer; with scripts it is inserted at the cursor, without a request."""
    templates = await services.experts.templates(user_session.account.province)
    appended = typed | {"text": with_template(typed["text"], templates, template)}
    return await render_case(request, services, user_session, code, typed=appended)


@router.post("/cases/{code}/discard", dependencies=[RequireFormWord])
async def discard_draft(request: Request, services: ServicesDep, user_session: SignedIn, code: str) -> Response:
    """Remove the draft that was kept for a case."""
    await services.drafts.keep_rest(user_session.account.id, code, {})
    return redirect(request, f"/cases/{code}")


@router.post("/cases/{code}/answer", dependencies=[RequireFormWord])
async def answer(
    request: Request,
    services: ServicesDep,
    user_session: SignedIn,
    *,
    code: str,
    typed: TypedDep,
    files: list[UploadFile] | None = None,
) -> Response:
    """Answer a case."""

    async def act() -> None:
        await services.experts.answer(user_session.account, code, typed["text"], await read_files(files or []))

    return await _act(request, services, user_session, code, typed=typed, act=act, sent=("text", "answered"))


@router.post("/cases/{code}/ask", dependencies=[RequireFormWord])
async def ask(request: Request, services: ServicesDep, user_session: SignedIn, code: str, typed: TypedDep) -> Response:
    """Ask the applicant a question."""

    async def act() -> None:
        await services.experts.ask(user_session.account, code, typed["question"], typed["question_days"])

    return await _act(request, services, user_session, code, typed=typed, act=act, sent=("question", "asked"))


@router.post("/cases/{code}/reject", dependencies=[RequireFormWord])
async def reject(
    request: Request, services: ServicesDep, user_session: SignedIn, code: str, typed: TypedDep
) -> Response:
    """Reject a request."""

    async def act() -> None:
        await services.experts.reject(user_session.account, code, typed["rejection"])

    return await _act(request, services, user_session, code, typed=typed, act=act, sent=("rejection", "rejected"))


@router.post("/cases/{code}/refer", dependencies=[RequireFormWord])
async def refer(
    request: Request, services: ServicesDep, user_session: SignedIn, code: str, typed: TypedDep
) -> Response:
    """Refer a case."""

    async def act() -> None:
        to = await _target(services, user_session, typed["to_province"], typed["to_subject"])
        await services.experts.refer(user_session.account, code, to, typed["referral"])

    return await _act(request, services, user_session, code, typed=typed, act=act, sent=("referral", "referred"))


async def _act(
    request: Request,
    services: Services,
    user_session: UserSession,
    code: str,
    *,
    typed: Typed,
    act: Callable[[], Awaitable[None]],
    sent: tuple[str, str],
) -> Response:
    """Run an action; keep all texts if it fails, and after a question the other ones, since the case stays open."""
    field, done = sent
    try:
        await act()
    except ConsoleError as error:
        return await render_case(request, services, user_session, code, error=error, typed=typed)
    rest = {name: typed[name] for name in TEXTS if name != field} if done == "asked" else {}
    await services.drafts.keep_rest(user_session.account.id, code, rest)
    return redirect(request, f"/cases/{code}?done={done}")


async def _target(services: Services, user_session: UserSession, to_province: str, to_subject: str) -> Referral:
    own = user_session.account.province
    try:
        key = office(to_province or own).key
    except UnknownOfficeError:
        raise FieldError("to_province", "اداره را از فهرست انتخاب کنید.") from None
    if not to_subject:
        if key == own:
            raise FieldError("to_province", "ادارهٔ دیگری یا موضوع دیگری را انتخاب کنید.")
        return Referral(key)
    subject, sub_subject = await services.subjects.find(own, to_subject)
    return Referral(key, subject, sub_subject)


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
