"""The services that the routes use, and FastAPI dependencies for the caller's session and forms."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Form, Request, Response
from fastapi.responses import RedirectResponse

from desk.console.domain.accounts import Step, UserSession
from desk.console.domain.callers import Caller
from desk.console.domain.errors import FormExpiredError
from desk.console.metrics import Metrics
from desk.console.service.catalog import CatalogEditing
from desk.console.service.colleagues import Colleagues
from desk.console.service.counter import CounterDesk
from desk.console.service.drafts import Drafts
from desk.console.service.experts import Experts
from desk.console.service.figures import OfficeFigures
from desk.console.service.headquarters import Headquarters
from desk.console.service.proofs import Proof
from desk.console.service.readings import Readings
from desk.console.service.reports import ReportSender
from desk.console.service.search import CaseSearch
from desk.console.service.sessions import Sessions
from desk.console.service.sign_in import SignIn
from desk.console.service.subjects import Subjects
from desk.console.service.supervision import Supervision
from desk.console.service.texts import TextEditing

SESSION_COOKIE, FORM_COOKIE = "desk_console", "desk_console_form"
"""Names of cookies; :func:`cookie_name` adds a prefix where browsers accept it."""
PATHS: Mapping[Step, str] = {
    Step.PASSWORD: "/password",
    Step.ENROL: "/enrol",
    Step.CODE: "/code",
    Step.IN: "/cases",
}
"""The page of each step of the sign-in."""


@dataclass(frozen=True, slots=True)
class Demonstration:
    """What the embedded desk shows on the pages: accounts to try, and links to its other parts."""

    accounts: tuple[tuple[str, str], ...]
    """User names with a description."""
    password: str
    links: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """What ``create_app`` built, in ``app.state.services``."""

    sign_in: SignIn
    sessions: Sessions
    experts: Experts
    case_search: CaseSearch
    headquarters: Headquarters
    colleagues: Colleagues
    counter: CounterDesk
    figures: OfficeFigures
    catalog: CatalogEditing
    texts: TextEditing
    readings: Readings
    supervision: Supervision
    drafts: Drafts
    subjects: Subjects
    reports: ReportSender
    metrics: Metrics
    metrics_token: str | None
    secure_cookies: bool
    first_password_hours: int
    desk_url: str
    """Address of the desk's public pages; empty in the demonstration, where it is the same host."""
    demonstration: Demonstration | None
    clock: Callable[[], datetime]


def get_services(request: Request) -> Services:
    """Return the app's services."""
    services: Services = request.app.state.services
    return services


async def _services(request: Request) -> Services:
    return get_services(request)


ServicesDep = Annotated[Services, Depends(_services)]


class RedirectRequiredError(Exception):
    """The caller has to open another page first."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


async def _any_session(request: Request, services: ServicesDep) -> UserSession:
    token = read_cookie(request, SESSION_COOKIE)
    user_session = await services.sign_in.find_session(token) if token else None
    if user_session is None:
        raise RedirectRequiredError("/sign-in")
    request.state.user_session = user_session  # for the error page
    return user_session


AnySession = Annotated[UserSession, Depends(_any_session)]
"""A session at any step of the sign-in."""


async def _signed_in(user_session: AnySession) -> UserSession:
    if user_session.step is not Step.IN:
        raise RedirectRequiredError(PATHS[user_session.step])
    return user_session


SignedIn = Annotated[UserSession, Depends(_signed_in)]
"""The session of an account that has completed the sign-in."""


async def _supervisor(user_session: SignedIn) -> UserSession:
    user_session.account.require_supervisor()
    return user_session


Supervisor = Annotated[UserSession, Depends(_supervisor)]
"""The session of a supervisor."""


async def _of_headquarters(user_session: SignedIn) -> UserSession:
    user_session.account.require_headquarters()
    return user_session


HeadquartersOnly = Annotated[UserSession, Depends(_of_headquarters)]
"""The session of an account of headquarters."""


async def _require_form_word(request: Request, user_session: AnySession) -> None:
    word = (await request.form()).get("form_word")
    if not isinstance(word, str) or not secrets.compare_digest(word.encode(), user_session.form_word.encode()):
        raise FormExpiredError


RequireFormWord = Depends(_require_form_word)
"""Requires the session's secret in a form, which other sites do not have (CSRF)."""


def root_path(request: Request) -> str:
    """Return the path under which the console is served: empty, or the prefix in the embedded desk."""
    return str(request.scope.get("root_path", ""))


def redirect(request: Request, path: str) -> RedirectResponse:
    """Redirect to a page of the console with GET."""
    return RedirectResponse(f"{root_path(request)}{path}", status_code=303)


def cookie_name(request: Request, name: str) -> str:
    """Return the name of a cookie with ``__Host-``, so that no other host of the domain can set it.

    Browsers accept the prefix only with TLS and the path ``/``; the demonstration has neither.
    """
    hosted = get_services(request).secure_cookies and not root_path(request)
    return f"__Host-{name}" if hosted else name


def read_cookie(request: Request, name: str) -> str | None:
    """Return the value of a cookie."""
    return request.cookies.get(cookie_name(request, name))


def set_cookie(request: Request, response: Response, name: str, value: str) -> None:
    """Set a cookie that scripts cannot read and other sites cannot send."""
    response.set_cookie(
        cookie_name(request, name),
        value,
        path=root_path(request) or "/",
        httponly=True,
        samesite="lax",
        secure=get_services(request).secure_cookies,
    )


def delete_cookie(request: Request, response: Response, name: str) -> None:
    """Delete a cookie."""
    response.delete_cookie(
        cookie_name(request, name),
        path=root_path(request) or "/",
        httponly=True,
        samesite="lax",
        secure=get_services(request).secure_cookies,
    )


def client_address(request: Request) -> str:
    """Return the IP address of the caller."""
    return request.client.host if request.client else "unknown"


def caller_of(request: Request) -> Caller:
    """Return the address and the browser of the caller."""
    return Caller(client_address(request), request.headers.get("user-agent", ""))


async def _proof(proof_token: Annotated[str, Form()] = "", proof_solution: Annotated[str, Form()] = "") -> Proof:
    return Proof(proof_token, proof_solution)


ProofDep = Annotated[Proof, Depends(_proof)]
"""The proof of work that a form contains, or an empty one."""
