"""The services that the routes use, and FastAPI dependencies."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from desk.chassis.app import IdempotencyKey
from desk.chassis.bus import Bus
from desk.chassis.crypto import TokenIssuer
from desk.chassis.event_encryption import EventDecryptor
from desk.tracking.routes.guards import ActionGuard, LookupGuard, TrackingSession
from desk.tracking.service import Actions

TOKEN_AUDIENCE = "desk.tracking"  # noqa: S105 - a name, not a secret

_bearer = HTTPBearer(auto_error=False, description="tracking token")


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """What ``create_app`` built, in ``app.state.services``."""

    actions: Actions
    lookup_guard: LookupGuard
    action_guard: ActionGuard
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
