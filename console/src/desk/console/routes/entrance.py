"""The entrance: signing in and out, the code from a device, the password."""

import secrets
from typing import Annotated

import segno
from fastapi import APIRouter, Form, Request, Response
from markupsafe import Markup

from desk.console.domain.accounts import Step, Visit
from desk.console.domain.errors import ConsoleError, FieldError, FormExpiredError
from desk.console.pages import page
from desk.console.routes.visiting import (
    FORM,
    PLACES,
    VISIT,
    AnyVisit,
    Formed,
    GoElsewhereError,
    address_of,
    forget,
    go,
    remember,
    sign_in_of,
)

router = APIRouter()
Text = Annotated[str, Form()]


@router.get("/")
async def begin(request: Request) -> Response:
    """Lead to the cases."""
    return go(request, "/cases")


@router.get("/sign-in")
async def show_sign_in(request: Request) -> Response:
    """Show the form."""
    return _sign_in_form(request)


@router.post("/sign-in")
async def take_sign_in(request: Request, username: Text = "", password: Text = "", form_word: Text = "") -> Response:
    """Check name and password."""
    try:
        if not secrets.compare_digest(form_word.encode(), request.cookies.get(FORM, "-").encode()):
            raise FormExpiredError
        token = await sign_in_of(request).begin(username, password, address_of(request))
    except ConsoleError as error:
        return _sign_in_form(request, error, username)
    response = go(request, "/cases")
    remember(request, response, VISIT, token)
    return response


def _sign_in_form(request: Request, error: ConsoleError | None = None, username: str = "") -> Response:
    word = request.cookies.get(FORM) or secrets.token_urlsafe(24)
    status = error.status if error else 200
    response = page(request, "sign_in.html", status=status, form_word=word, error=error, username=username)
    remember(request, response, FORM, word)
    return response


@router.post("/sign-out", dependencies=[Formed])
async def sign_out(request: Request, visit: AnyVisit) -> Response:
    """End the visit."""
    await sign_in_of(request).end(visit)
    response = go(request, "/sign-in")
    forget(request, response, VISIT)
    return response


def _demand_step(visit: Visit, step: Step) -> None:
    if visit.step is not step:
        raise GoElsewhereError(PLACES[visit.step])


@router.get("/code")
async def show_code(request: Request, visit: AnyVisit) -> Response:
    """Ask for the code of the device."""
    _demand_step(visit, Step.CODE)
    return page(request, "code.html", visit)


@router.post("/code", dependencies=[Formed])
async def take_code(request: Request, visit: AnyVisit, code: Text = "") -> Response:
    """Check it."""
    _demand_step(visit, Step.CODE)
    try:
        token = await sign_in_of(request).give_code(visit, code, address_of(request))
    except ConsoleError as error:
        return page(request, "code.html", visit, status=error.status, error=error)
    response = go(request, "/cases")
    remember(request, response, VISIT, token)
    return response


@router.get("/enrol")
async def show_enrolment(request: Request, visit: AnyVisit) -> Response:
    """Show the picture code for the device."""
    _demand_step(visit, Step.ENROL)
    return await _enrolment(request, visit)


async def _enrolment(request: Request, visit: Visit, error: ConsoleError | None = None) -> Response:
    uri = await sign_in_of(request).enrolment(visit)
    picture = Markup(segno.make(uri, error="m").svg_inline(border=2, omitsize=True))  # noqa: S704 - our own drawing
    secret = uri.partition("secret=")[2].partition("&")[0]
    status = error.status if error else 200
    return page(request, "enrol.html", visit, status=status, picture=picture, secret=secret, error=error)


@router.post("/enrol", dependencies=[Formed])
async def take_enrolment(request: Request, visit: AnyVisit, code: Text = "") -> Response:
    """Take the device, and show the recovery codes once."""
    _demand_step(visit, Step.ENROL)
    try:
        token, codes = await sign_in_of(request).confirm_enrolment(visit, code)
    except ConsoleError as error:
        return await _enrolment(request, visit, error)
    response = page(request, "recovery_codes.html", codes=codes)
    remember(request, response, VISIT, token)
    return response


@router.get("/password")
async def show_password(request: Request, visit: AnyVisit) -> Response:
    """Show the form for a new password."""
    if visit.step not in {Step.PASSWORD, Step.IN}:
        raise GoElsewhereError(PLACES[visit.step])
    return page(request, "password.html", visit)


@router.post("/password", dependencies=[Formed])
async def take_password(
    request: Request, visit: AnyVisit, old: Text = "", password: Text = "", again: Text = ""
) -> Response:
    """Change it."""
    if visit.step not in {Step.PASSWORD, Step.IN}:
        raise GoElsewhereError(PLACES[visit.step])
    try:
        token = await sign_in_of(request).change_password(visit, old, password, again)
    except FieldError as error:
        return page(request, "password.html", visit, status=error.status, error=error)
    response = go(request, "/cases?done=password")
    remember(request, response, VISIT, token)
    return response
