"""The pages of the counter: identity, read back, request, code as consent, receipt to print and to sign.

Each step is the response to the form of the step before. Nothing personal is in an address, and no script is needed.
"""

from typing import Annotated

import segno
from fastapi import APIRouter, Depends, Form, Request, Response, UploadFile
from markupsafe import Markup

from desk.console.domain.accounts import UserSession
from desk.console.domain.cases import FILES_MAX
from desk.console.domain.counter import (
    GENDER_TITLES,
    OWNER_TITLES,
    REQUEST_FIELDS,
    CounterFaultsError,
)
from desk.console.domain.errors import ConsoleError, FormExpiredError, NotAllowedError
from desk.console.routes.counter_forms import read_attached, read_documents, read_fields, read_further, read_unsent
from desk.console.routes.dependencies import RequireFormWord, Services, ServicesDep, SignedIn, get_services
from desk.console.routes.pages import render_page
from desk.console.service.counter import CounterState
from desk.console.service.drafts import COUNTER
from desk.expert import CounterReceipt
from desk.files.types import FILE_BYTES_MAX
from desk.iran.provinces import PROVINCES, province

router = APIRouter()
Text = Annotated[str, Form()]
TOKEN_CODES = frozenset({"identity_token_expired", "identity_token_invalid", "identity_of_other_office"})
"""Refusals after which the person has to be looked up again."""
NO_RIGHT = "برای ثبت درخواست به جای متقاضی، سرپرست باید این اجازه را به حساب شما بدهد."


async def _with_right(user_session: SignedIn) -> UserSession:
    if not user_session.account.counter:
        raise NotAllowedError(NO_RIGHT)
    return user_session


AtCounter = Annotated[UserSession, Depends(_with_right)]
"""The session of an account that may register requests for applicants."""


@router.get("/counter")
async def start(request: Request, services: ServicesDep, user_session: AtCounter, blank: str = "") -> Response:
    """Ask for the person's number and birth date; ``blank``: not for those of a kept form."""
    unsent = {} if blank else await services.drafts.find(user_session.account.id, COUNTER)
    return _identity_page(request, user_session, *services.counter.restore(user_session.account, unsent))


@router.post("/counter/identity", dependencies=[RequireFormWord])
async def look_up(request: Request, services: ServicesDep, user_session: AtCounter) -> Response:
    """Look the person up, and show the names to read back with the form of the request."""
    account, unsent = user_session.account, await read_unsent(request)
    typed, earlier = services.counter.restore(account, unsent)
    try:
        state = await services.counter.look_up(account, typed, earlier)
    except CounterFaultsError as error:
        return _identity_page(request, user_session, typed, earlier, error)
    await services.drafts.keep_rest(account.id, COUNTER, {})
    return await _request_page(request, services, user_session, state)


@router.post("/counter/request", dependencies=[RequireFormWord])
async def submit(
    request: Request,
    services: ServicesDep,
    user_session: AtCounter,
    *,
    state: Text = "",
    again: Text = "",
    drop: Annotated[list[str] | None, Form()] = None,
    files: list[UploadFile] | None = None,
) -> Response:
    """Send the code, or register the request of a person without a mobile."""
    opened = services.counter.open(user_session.account, state)
    kept = [each for each in opened.files if each.id not in (drop or [])]
    typed = await read_fields(request, REQUEST_FIELDS) | await read_further(request)
    changed = opened.model_copy(update={"typed": typed, "code_id": "", "files": kept})
    try:
        chosen = [("", file) for file in await read_attached(files or [])] + await read_documents(request)
        changed = await services.counter.attach(user_session.account, changed, chosen)
        result = await services.counter.submit(user_session.account, changed, again=again == "yes")
    except CounterFaultsError as error:
        return await _refused(request, services, user_session, changed, error)
    return await _next_page(request, services, user_session, changed, result)


@router.post("/counter/code", dependencies=[RequireFormWord])
async def confirm(
    request: Request,
    services: ServicesDep,
    user_session: AtCounter,
    *,
    state: Text = "",
    code: Text = "",
    act: Text = "",
    again: Text = "",
) -> Response:
    """Register the request with the code that the person has read out, send another code, or go back."""
    account, opened = user_session.account, services.counter.open(user_session.account, state)
    if act == "back":
        return await _request_page(request, services, user_session, opened)
    try:
        if act == "resend":
            result = await services.counter.send_code(account, opened)
        else:
            result = await services.counter.register(account, opened, code[:32], again=again == "yes")
    except CounterFaultsError as error:
        return await _refused(request, services, user_session, opened, error, code=code)
    return await _next_page(request, services, user_session, opened, result)


async def _next_page(
    request: Request,
    services: Services,
    user_session: UserSession,
    state: CounterState,
    result: CounterState | CounterReceipt,
) -> Response:
    if isinstance(result, CounterReceipt):
        return _receipt_page(request, services, user_session, state, result)
    return _code_page(request, services, user_session, result)


async def _refused(
    request: Request,
    services: Services,
    user_session: UserSession,
    state: CounterState,
    error: CounterFaultsError,
    *,
    code: str = "",
) -> Response:
    """Show the step that has to be corrected, with everything that was typed."""
    if error.desk_code in TOKEN_CODES:
        sealed = services.counter.seal(user_session.account, state)
        kept = services.counter.restore(user_session.account, {"state": sealed})
        return _identity_page(request, user_session, *kept, error)
    of_code = not error.faults or "code" in error.faults or error.desk_code in {"request_repeated", "codes_exhausted"}
    if state.code_id and of_code:
        return _code_page(request, services, user_session, state, error, code=code)
    return await _request_page(request, services, user_session, state, error)


async def render_unsent(request: Request, user_session: UserSession, error: ConsoleError) -> Response:
    """Show the first page with all that a form of an earlier session has, so that it is not lost."""
    account, services = user_session.account, get_services(request)
    try:
        kept = services.counter.restore(account, await read_unsent(request)) if account.counter else None
    except FormExpiredError:
        kept = None
    if kept is None:
        return render_page(request, "error.html", user_session, status=error.status, error=error)
    return _identity_page(request, user_session, *kept, CounterFaultsError({}, title=error.title, status=error.status))


def _identity_page(
    request: Request,
    user_session: UserSession,
    typed: dict[str, str],
    earlier: str,
    error: CounterFaultsError | None = None,
) -> Response:
    """``earlier``: the sealed texts of a former form, which the look-up brings back."""
    return render_page(
        request,
        "counter_identity.html",
        user_session,
        status=error.status if error else 200,
        typed=typed,
        earlier=earlier,
        error=error,
        faults=error.faults if error else {},
    )


async def _request_page(
    request: Request,
    services: Services,
    user_session: UserSession,
    state: CounterState,
    error: CounterFaultsError | None = None,
) -> Response:
    return render_page(
        request,
        "counter_request.html",
        user_session,
        status=error.status if error else 200,
        state=state,
        sealed=services.counter.seal(user_session.account, state),
        typed=state.typed,
        subjects=await services.subjects.list_subjects(user_session.account.province),
        provinces=PROVINCES,
        area_code=_area_code(user_session),
        owners=OWNER_TITLES,
        genders=GENDER_TITLES,
        chosen=await services.counter.sub_subject(user_session.account, state),
        files_max=FILES_MAX,
        bytes_max=FILE_BYTES_MAX,
        error=error,
        faults=error.faults if error else {},
    )


def _area_code(user_session: UserSession) -> str:
    """Return the area code of the office's landlines; headquarters is asked about those of all provinces."""
    account = user_session.account
    return "" if account.of_headquarters else province(account.province).area_code


def _code_page(
    request: Request,
    services: Services,
    user_session: UserSession,
    state: CounterState,
    error: CounterFaultsError | None = None,
    *,
    code: str = "",
) -> Response:
    return render_page(
        request,
        "counter_code.html",
        user_session,
        status=error.status if error else 200,
        state=state,
        sealed=services.counter.seal(user_session.account, state),
        owners=OWNER_TITLES,
        code=code,
        error=error,
        faults=error.faults if error else {},
    )


def _receipt_page(
    request: Request, services: Services, user_session: UserSession, state: CounterState, receipt: CounterReceipt
) -> Response:
    address = f"{services.desk_url.rstrip('/')}/verify#{receipt.receipt.token}"
    drawn = segno.make(address, error="l").svg_inline(border=2, omitsize=True)
    return render_page(
        request,
        "counter_receipt.html",
        user_session,
        state=state,
        receipt=receipt,
        qr_code=Markup(drawn),  # noqa: S704  # nosec B704 - our own SVG
    )
