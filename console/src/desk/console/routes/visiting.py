"""Who asks: the visit of a cookie, the word of a form, and the place to go if something is missing."""

import secrets
from collections.abc import Mapping
from typing import Annotated

from fastapi import Depends, Request, Response
from fastapi.responses import RedirectResponse

from desk.console.domain.accounts import Step, Visit
from desk.console.domain.errors import FormExpiredError
from desk.console.pages import root
from desk.console.service.sign_in import SignIn

VISIT, FORM = "desk_console", "desk_console_form"
PLACES: Mapping[Step, str] = {
    Step.PASSWORD: "/password",
    Step.ENROL: "/enrol",
    Step.CODE: "/code",
    Step.IN: "/cases",
}


class GoElsewhereError(Exception):
    """The visitor has to do something else first."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


def sign_in_of(request: Request) -> SignIn:
    """Return the use cases of signing in."""
    service: SignIn = request.app.state.sign_in
    return service


async def _any_visit(request: Request) -> Visit:
    token = request.cookies.get(VISIT)
    visit = await sign_in_of(request).visit(token) if token else None
    if visit is None:
        raise GoElsewhereError("/sign-in")
    request.state.visit = visit  # for the page that says what went wrong
    return visit


AnyVisit = Annotated[Visit, Depends(_any_visit)]
"""A visit, however far it has come."""


async def _visit(visit: AnyVisit) -> Visit:
    if visit.step is not Step.IN:
        raise GoElsewhereError(PLACES[visit.step])
    return visit


Visiting = Annotated[Visit, Depends(_visit)]
"""The visit of somebody who is in."""


async def _supervising(visit: Visiting) -> Visit:
    visit.account.demand_supervisor()
    return visit


Supervisor = Annotated[Visit, Depends(_supervising)]
"""The visit of a supervisor."""


async def _formed(request: Request, visit: AnyVisit) -> None:
    given = (await request.form()).get("form_word")
    if not isinstance(given, str) or not secrets.compare_digest(given.encode(), visit.form_word.encode()):
        raise FormExpiredError


Formed = Depends(_formed)
"""Demands the visit's own word in a form: another site does not know it."""


def go(request: Request, path: str) -> RedirectResponse:
    """Send the visitor on with a GET."""
    return RedirectResponse(f"{root(request)}{path}", status_code=303)


def remember(request: Request, response: Response, name: str, value: str) -> None:
    """Set a cookie that scripts cannot read and other sites cannot send."""
    response.set_cookie(
        name,
        value,
        path=root(request) or "/",
        httponly=True,
        samesite="lax",
        secure=request.app.state.settings.secure_cookies,
    )


def forget(request: Request, response: Response, name: str) -> None:
    """Take a cookie back."""
    response.delete_cookie(name, path=root(request) or "/")


def address_of(request: Request) -> str:
    """Return the address a request comes from."""
    return request.client.host if request.client else "unknown"
