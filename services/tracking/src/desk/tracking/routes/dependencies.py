"""The services that the routes use, and FastAPI dependencies."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from desk.chassis.app import IdempotencyKey, source_of
from desk.chassis.bus import Bus
from desk.chassis.client_assertions import ClientAssertions
from desk.chassis.crypto import TokenIssuer
from desk.chassis.event_encryption import EventDecryptor
from desk.tracking.routes.guards import ActionGuard, CaseReaderGuard, LookupGuard, OwnRequestsGuard, TrackingSession
from desk.tracking.service import (
    Actions,
    Contacts,
    FigureDocuments,
    Figures,
    OfficeCases,
    OwnRequests,
    Probes,
    PublicFigures,
)

TOKEN_AUDIENCE = "desk.tracking"  # noqa: S105 - a name, not a secret

_bearer = HTTPBearer(auto_error=False, description="tracking token")
_assertion = HTTPBearer(auto_error=False, scheme_name="assertion", description="an office's assertion")


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """What ``create_app`` built, in ``app.state.services``."""

    actions: Actions
    contacts: Contacts
    figures: Figures
    figure_documents: FigureDocuments
    public_figures: PublicFigures
    office_cases: OfficeCases
    lookup_guard: LookupGuard
    own_requests: OwnRequests
    own_requests_guard: OwnRequestsGuard
    action_guard: ActionGuard
    assertions: ClientAssertions
    case_readers: CaseReaderGuard
    probes: Probes
    tokens: TokenIssuer
    token_seconds: int
    session_seconds: int
    bus: Bus
    decryptor: EventDecryptor


async def get_services(request: Request) -> Services:
    """Return the app's services."""
    services: Services = request.app.state.services
    return services


ServicesDep = Annotated[Services, Depends(get_services)]


@dataclass(frozen=True, slots=True)
class Actor:
    """The session of the caller's token, and the call's idempotency key."""

    session: TrackingSession
    key: str


async def _checked_session(
    services: ServicesDep, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> TrackingSession:
    return await services.action_guard.check(credentials.credentials if credentials is not None else None)


SessionDep = Annotated[TrackingSession, Depends(_checked_session)]


async def _actor(session: SessionDep, key: IdempotencyKey) -> Actor:
    return Actor(session, key)


ActorDep = Annotated[Actor, Depends(_actor)]


async def _office(
    request: Request,
    services: ServicesDep,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_assertion)],
) -> str:
    assertion = credentials.credentials if credentials is not None else None
    return await services.assertions.client_of(assertion, source_of(request))


OfficeDep = Annotated[str, Depends(_office)]
"""The office of the caller's assertion. Raises the errors of ``ASSERTION_ERRORS``."""


async def _case_reader(
    request: Request,
    services: ServicesDep,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_assertion)],
) -> str:
    assertion = credentials.credentials if credentials is not None else None
    return await services.case_readers.admit(assertion, source_of(request))


CaseReaderDep = Annotated[str, Depends(_case_reader)]
"""The office that reads a case. Raises the errors of ``ASSERTION_ERRORS``, or RateLimitExceededError."""
