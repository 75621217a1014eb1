"""The cases: lists, one case with all that can be done about it, answers to many, files, the province at a glance."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, Query, Request, Response, UploadFile
from fastapi.responses import StreamingResponse

from desk.console.domain.accounts import Visit
from desk.console.domain.cases import FILE_BYTES_MAX, FILES_MAX
from desk.console.domain.errors import ConsoleError, FieldError, FilesAwayError
from desk.console.pages import page
from desk.console.routes.visiting import Formed, Visiting, go
from desk.console.service.experts import Experts, Referral
from desk.console.service.subjects import Subjects
from desk.console.store.lists import PAGE, ListName, Wanted
from desk.console.store.reports import NewFile
from desk.expert import FileDamagedError, FileRefusedError
from desk.iran.provinces import PROVINCES, UnknownProvinceError, province

router = APIRouter()
Text = Annotated[str, Form()]
PAGES_MOST = 10_000
SEARCH_MOST = 100
CHUNK = 64 * 1024


def _experts(request: Request) -> Experts:
    experts: Experts = request.app.state.experts
    return experts


def _now(request: Request) -> datetime:
    now: datetime = request.app.state.clock()
    return now


def _subjects(request: Request) -> Subjects:
    subjects: Subjects = request.app.state.subjects
    return subjects


@router.get("/cases")
async def show_list(
    request: Request,
    visit: Visiting,
    *,
    listed: Annotated[ListName | None, Query(alias="list")] = None,
    subject: Annotated[str, Query(max_length=40)] = "",
    q: Annotated[str, Query(max_length=SEARCH_MOST)] = "",
    number: Annotated[int, Query(alias="page", ge=1, le=PAGES_MOST)] = 1,
    done: str = "",
) -> Response:
    """Show a list; what is searched is searched for everywhere unless a list is named."""
    account = visit.account
    wanted = Wanted(
        province=account.province,
        account=account.id,
        supervisor=account.supervisor,
        list=listed or (ListName.ALL if q.strip() else ListName.OPEN),
        now=_now(request),
        sub_subject=subject,
        search=q,
        page=number,
    )
    found = await _experts(request).page(wanted)
    return page(request, "cases.html", visit, wanted=wanted, found=found, lists=ListName, size=PAGE, done=done)


@router.get("/dashboard")
async def show_figures(request: Request, visit: Visiting) -> Response:
    """Show the province at a glance."""
    return page(request, "dashboard.html", visit, figures=await _experts(request).figures(visit.account))


@router.post("/cases/many", dependencies=[Formed])
async def choose_many(
    request: Request, visit: Visiting, code: Annotated[list[str] | None, Form()] = None, template: Text = ""
) -> Response:
    """Show the chosen cases with one box for the answer to all."""
    return await _many(request, visit, _digits(code), template=template)


@router.post("/cases/many/answer", dependencies=[Formed])
async def answer_many(
    request: Request, visit: Visiting, code: Annotated[list[str] | None, Form()] = None, text: Text = ""
) -> Response:
    """Answer them all, and say which could not be answered and why."""
    codes = _digits(code)
    try:
        done, refused = await _experts(request).answer_many(visit.account, codes, text)
    except FieldError as error:
        return await _many(request, visit, codes, error=error, text=text)
    return page(request, "many_done.html", visit, answered=done, refused=refused)


def _digits(codes: list[str] | None) -> list[str]:
    return [code for code in codes or [] if code.isascii() and code.isdigit()][:PAGE]


async def _many(
    request: Request,
    visit: Visit,
    codes: list[str],
    *,
    template: str = "",
    error: FieldError | None = None,
    text: str = "",
) -> Response:
    chosen = await _experts(request).known(visit.account.province, codes)
    if not chosen:
        return go(request, "/cases?done=none")
    templates = await _experts(request).templates(visit.account.province)
    if template:
        text = next((each.text for each in templates if each.id == template), text)
    status = error.status if error else 200
    return page(request, "many.html", visit, status=status, chosen=chosen, templates=templates, error=error, text=text)


@router.get("/cases/{code}")
async def show_case(request: Request, visit: Visiting, code: str, template: str = "", done: str = "") -> Response:
    """Show a case; ``template`` puts a prepared text into the box of the answer."""
    return await _case(request, visit, code, template=template, done=done)


async def _case(
    request: Request,
    visit: Visit,
    code: str,
    *,
    template: str = "",
    done: str = "",
    error: ConsoleError | None = None,
    typed: dict[str, str] | None = None,
) -> Response:
    view = await _experts(request).view(visit.account.province, code)
    now = _now(request)
    typed = dict(typed or {})
    if template:
        typed["text"] = next((each.text for each in view.templates if each.id == template), "")
    return page(
        request,
        "case.html",
        visit,
        status=error.status if error else 200,
        view=view,
        case=view.known.case,
        request_=view.known.request,
        now=now,
        holder=view.known.case.holder(now),
        typed=typed,
        error=error,
        done=done,
        provinces=PROVINCES,
        subjects=await _subjects(request).of(visit.account.province),
        files_max=FILES_MAX,
    )


@router.post("/cases/{code}/take", dependencies=[Formed])
async def take(request: Request, visit: Visiting, code: str) -> Response:
    """Take a case."""
    try:
        await _experts(request).take(visit.account, code)
    except ConsoleError as error:
        return await _case(request, visit, code, error=error)
    return go(request, f"/cases/{code}?done=taken")


@router.post("/cases/{code}/release", dependencies=[Formed])
async def release(request: Request, visit: Visiting, code: str) -> Response:
    """Let go of it, or take it from somebody as a supervisor."""
    try:
        await _experts(request).release(visit.account, code)
    except ConsoleError as error:
        return await _case(request, visit, code, error=error)
    return go(request, f"/cases/{code}?done=released")


@router.post("/cases/{code}/answer", dependencies=[Formed])
async def answer(
    request: Request,
    visit: Visiting,
    code: str,
    text: Text = "",
    files: list[UploadFile] | None = None,
) -> Response:
    """Answer."""
    try:
        await _experts(request).answer(visit.account, code, text, await _read(files or []))
    except ConsoleError as error:
        return await _case(request, visit, code, error=error, typed={"text": text})
    return go(request, f"/cases/{code}?done=answered")


@router.post("/cases/{code}/ask", dependencies=[Formed])
async def ask(request: Request, visit: Visiting, code: str, question: Text = "") -> Response:
    """Ask the applicant."""
    try:
        await _experts(request).ask(visit.account, code, question)
    except ConsoleError as error:
        return await _case(request, visit, code, error=error, typed={"question": question})
    return go(request, f"/cases/{code}?done=asked")


@router.post("/cases/{code}/reject", dependencies=[Formed])
async def reject(request: Request, visit: Visiting, code: str, rejection: Text = "") -> Response:
    """Reject."""
    try:
        await _experts(request).reject(visit.account, code, rejection)
    except ConsoleError as error:
        return await _case(request, visit, code, error=error, typed={"rejection": rejection})
    return go(request, f"/cases/{code}?done=rejected")


@router.post("/cases/{code}/refer", dependencies=[Formed])
async def refer(
    request: Request,
    visit: Visiting,
    code: str,
    *,
    to_province: Text = "",
    to_subject: Text = "",
    referral: Text = "",
) -> Response:
    """Hand on."""
    try:
        to = await _target(request, visit, to_province, to_subject)
        await _experts(request).refer(visit.account, code, to, referral)
    except ConsoleError as error:
        typed = {"to_province": to_province, "to_subject": to_subject, "referral": referral}
        return await _case(request, visit, code, error=error, typed=typed)
    return go(request, f"/cases/{code}?done=referred")


async def _target(request: Request, visit: Visit, to_province: str, to_subject: str) -> Referral:
    own = visit.account.province
    try:
        key = province(to_province or own).key
    except UnknownProvinceError:
        raise FieldError("to_province", "استان را از فهرست انتخاب کنید.") from None
    if not to_subject:
        if key == own:
            raise FieldError("to_province", "استان دیگری یا موضوع دیگری را انتخاب کنید.")
        return Referral(key)
    subject, sub_subject = await _subjects(request).named(own, to_subject)
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
async def show_file(request: Request, visit: Visiting, code: str, file_id: str) -> Response:
    """Hand over a file of the applicant's, as it comes from the desk; never to be shown in the page's own name."""
    file, opening = await _experts(request).open_file(visit.account, code, file_id)
    try:
        chunks = await opening.__aenter__()
    except FileRefusedError:
        raise FilesAwayError from None

    async def content() -> AsyncIterator[bytes]:
        try:
            async for chunk in chunks:
                yield chunk
        except FileDamagedError as error:  # the connection breaks, so that nobody takes it for the file
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
