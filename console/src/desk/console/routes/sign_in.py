"""Sign-in and sign-out, the code of a device, and the password."""

import secrets
from typing import Annotated

import segno
from fastapi import APIRouter, Form, Request, Response
from markupsafe import Markup

from desk.console.domain.accounts import Step, UserSession
from desk.console.domain.errors import ConsoleError, FormExpiredError
from desk.console.routes.dependencies import (
    FORM_COOKIE,
    PATHS,
    SESSION_COOKIE,
    AnySession,
    ProofDep,
    RedirectRequiredError,
    RequireFormWord,
    Services,
    ServicesDep,
    caller_of,
    client_address,
    delete_cookie,
    get_services,
    read_cookie,
    redirect,
    set_cookie,
)
from desk.console.routes.pages import render_page
from desk.console.service.attempts import CODE, ENROL, PASSWORD, SIGN_IN

router = APIRouter()
Text = Annotated[str, Form()]


@router.get("/")
async def open_start_page(request: Request) -> Response:
    """Redirect to the cases."""
    return redirect(request, "/cases")


@router.get("/sign-in")
async def show_sign_in(request: Request, kept: str = "") -> Response:
    """Show the sign-in form."""
    return await _sign_in_form(request, kept=bool(kept))


@router.post("/sign-in")
async def sign_in(
    request: Request,
    services: ServicesDep,
    proof: ProofDep,
    *,
    username: Text = "",
    password: Text = "",
    form_word: Text = "",
) -> Response:
    """Check user name and password."""
    try:
        if not secrets.compare_digest(form_word.encode(), (read_cookie(request, FORM_COOKIE) or "-").encode()):
            raise FormExpiredError
        token = await services.sign_in.check_password(username, password, caller_of(request), proof)
    except ConsoleError as error:
        return await _sign_in_form(request, error, username)
    response = redirect(request, "/cases")
    set_cookie(request, response, SESSION_COOKIE, token)
    return response


async def _sign_in_form(
    request: Request, error: ConsoleError | None = None, username: str = "", *, kept: bool = False
) -> Response:
    word = read_cookie(request, FORM_COOKIE) or secrets.token_urlsafe(24)
    response = await _form(
        request, "sign_in.html", SIGN_IN, username, error=error, form_word=word, username=username, kept=kept
    )
    set_cookie(request, response, FORM_COOKIE, word)
    return response


async def _form(
    request: Request,
    template: str,
    form: str,
    account: str,
    *,
    error: ConsoleError | None = None,
    user_session: UserSession | None = None,
    **values: object,
) -> Response:
    """Render a form of the sign-in, with the proof of work that its next attempt needs."""
    challenge = await get_services(request).sign_in.challenge(form, account, client_address(request))
    status = error.status if error else 200
    return render_page(request, template, user_session, status=status, error=error, challenge=challenge, **values)


async def _session_form(
    request: Request, template: str, form: str, user_session: UserSession, error: ConsoleError | None = None
) -> Response:
    return await _form(request, template, form, user_session.account.username, error=error, user_session=user_session)


@router.post("/sign-out", dependencies=[RequireFormWord])
async def sign_out(request: Request, services: ServicesDep, user_session: AnySession) -> Response:
    """End the session."""
    await services.sign_in.sign_out(user_session)
    response = redirect(request, "/sign-in")
    delete_cookie(request, response, SESSION_COOKIE)
    return response


def _require_step(user_session: UserSession, step: Step) -> None:
    if user_session.step is not step:
        raise RedirectRequiredError(PATHS[user_session.step])


@router.get("/code")
async def show_code(request: Request, user_session: AnySession) -> Response:
    """Show the form for the device's code."""
    _require_step(user_session, Step.CODE)
    return await _session_form(request, "code.html", CODE, user_session)


@router.post("/code", dependencies=[RequireFormWord])
async def check_code(
    request: Request, services: ServicesDep, user_session: AnySession, proof: ProofDep, code: Text = ""
) -> Response:
    """Check the code."""
    _require_step(user_session, Step.CODE)
    try:
        token = await services.sign_in.check_code(user_session, code, client_address(request), proof)
    except ConsoleError as error:
        return await _session_form(request, "code.html", CODE, user_session, error)
    response = redirect(request, "/cases")
    set_cookie(request, response, SESSION_COOKIE, token)
    return response


@router.get("/enrol")
async def show_enrolment(request: Request, services: ServicesDep, user_session: AnySession) -> Response:
    """Show the QR code for the device."""
    _require_step(user_session, Step.ENROL)
    return await _enrolment(request, services, user_session)


async def _enrolment(
    request: Request, services: Services, user_session: UserSession, error: ConsoleError | None = None
) -> Response:
    uri = await services.sign_in.enrolment_uri(user_session)
    qr_code = Markup(segno.make(uri, error="m").svg_inline(border=2, omitsize=True))  # noqa: S704  # nosec B704 - our own SVG
    secret = uri.partition("secret=")[2].partition("&")[0]
    username = user_session.account.username
    return await _form(
        request, "enrol.html", ENROL, username, error=error, user_session=user_session, qr_code=qr_code, secret=secret
    )


@router.post("/enrol", dependencies=[RequireFormWord])
async def confirm_enrolment(
    request: Request, services: ServicesDep, user_session: AnySession, proof: ProofDep, code: Text = ""
) -> Response:
    """Enrol the device, and show the recovery codes once."""
    _require_step(user_session, Step.ENROL)
    try:
        token, codes = await services.sign_in.confirm_enrolment(user_session, code, client_address(request), proof)
    except ConsoleError as error:
        return await _enrolment(request, services, user_session, error)
    response = render_page(request, "recovery_codes.html", codes=codes)
    set_cookie(request, response, SESSION_COOKIE, token)
    return response


@router.get("/password")
async def show_password(request: Request, user_session: AnySession) -> Response:
    """Show the form for a new password."""
    if user_session.step not in {Step.PASSWORD, Step.IN}:
        raise RedirectRequiredError(PATHS[user_session.step])
    return await _session_form(request, "password.html", PASSWORD, user_session)


@router.post("/password", dependencies=[RequireFormWord])
async def change_password(
    request: Request,
    services: ServicesDep,
    user_session: AnySession,
    proof: ProofDep,
    *,
    old: Text = "",
    password: Text = "",
    again: Text = "",
) -> Response:
    """Change the password."""
    if user_session.step not in {Step.PASSWORD, Step.IN}:
        raise RedirectRequiredError(PATHS[user_session.step])
    try:
        token = await services.sign_in.change_password(
            user_session, old, password, again, address=client_address(request), proof=proof
        )
    except ConsoleError as error:
        return await _session_form(request, "password.html", PASSWORD, user_session, error)
    response = redirect(request, "/cases?done=password")
    set_cookie(request, response, SESSION_COOKIE, token)
    return response
