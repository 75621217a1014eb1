"""Sign-in and sign-out, the code of a device, and the password."""

import secrets
from typing import Annotated

import segno
from fastapi import APIRouter, Form, Request, Response
from markupsafe import Markup

from desk.console.domain.accounts import Step, UserSession
from desk.console.domain.errors import ConsoleError, FieldError, FormExpiredError
from desk.console.routes.dependencies import (
    FORM_COOKIE,
    PATHS,
    SESSION_COOKIE,
    AnySession,
    RedirectRequiredError,
    RequireFormWord,
    Services,
    ServicesDep,
    client_address,
    delete_cookie,
    redirect,
    set_cookie,
)
from desk.console.routes.pages import render_page

router = APIRouter()
Text = Annotated[str, Form()]


@router.get("/")
async def open_start_page(request: Request) -> Response:
    """Redirect to the cases."""
    return redirect(request, "/cases")


@router.get("/sign-in")
async def show_sign_in(request: Request, kept: str = "") -> Response:
    """Show the sign-in form."""
    return _sign_in_form(request, kept=bool(kept))


@router.post("/sign-in")
async def sign_in(
    request: Request, services: ServicesDep, username: Text = "", password: Text = "", form_word: Text = ""
) -> Response:
    """Check user name and password."""
    try:
        if not secrets.compare_digest(form_word.encode(), request.cookies.get(FORM_COOKIE, "-").encode()):
            raise FormExpiredError
        token = await services.sign_in.check_password(username, password, client_address(request))
    except ConsoleError as error:
        return _sign_in_form(request, error, username)
    response = redirect(request, "/cases")
    set_cookie(request, response, SESSION_COOKIE, token)
    return response


def _sign_in_form(
    request: Request, error: ConsoleError | None = None, username: str = "", *, kept: bool = False
) -> Response:
    word = request.cookies.get(FORM_COOKIE) or secrets.token_urlsafe(24)
    status = error.status if error else 200
    response = render_page(
        request, "sign_in.html", status=status, form_word=word, error=error, username=username, kept=kept
    )
    set_cookie(request, response, FORM_COOKIE, word)
    return response


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
    return render_page(request, "code.html", user_session)


@router.post("/code", dependencies=[RequireFormWord])
async def check_code(request: Request, services: ServicesDep, user_session: AnySession, code: Text = "") -> Response:
    """Check the code."""
    _require_step(user_session, Step.CODE)
    try:
        token = await services.sign_in.check_code(user_session, code, client_address(request))
    except ConsoleError as error:
        return render_page(request, "code.html", user_session, status=error.status, error=error)
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
    qr_code = Markup(segno.make(uri, error="m").svg_inline(border=2, omitsize=True))  # noqa: S704 - our own SVG
    secret = uri.partition("secret=")[2].partition("&")[0]
    status = error.status if error else 200
    return render_page(request, "enrol.html", user_session, status=status, qr_code=qr_code, secret=secret, error=error)


@router.post("/enrol", dependencies=[RequireFormWord])
async def confirm_enrolment(
    request: Request, services: ServicesDep, user_session: AnySession, code: Text = ""
) -> Response:
    """Enrol the device, and show the recovery codes once."""
    _require_step(user_session, Step.ENROL)
    try:
        token, codes = await services.sign_in.confirm_enrolment(user_session, code)
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
    return render_page(request, "password.html", user_session)


@router.post("/password", dependencies=[RequireFormWord])
async def change_password(
    request: Request,
    services: ServicesDep,
    user_session: AnySession,
    *,
    old: Text = "",
    password: Text = "",
    again: Text = "",
) -> Response:
    """Change the password."""
    if user_session.step not in {Step.PASSWORD, Step.IN}:
        raise RedirectRequiredError(PATHS[user_session.step])
    try:
        token = await services.sign_in.change_password(user_session, old, password, again)
    except FieldError as error:
        return render_page(request, "password.html", user_session, status=error.status, error=error)
    response = redirect(request, "/cases?done=password")
    set_cookie(request, response, SESSION_COOKIE, token)
    return response
