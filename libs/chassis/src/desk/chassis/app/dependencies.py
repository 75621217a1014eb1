"""FastAPI dependencies that several services share."""

from collections.abc import AsyncIterator
from typing import Annotated, Protocol

from fastapi import Depends, Header, Request

from desk.chassis.problem import IdempotencyKeyMissingError
from desk.database import Database, DatabaseSession

_KEY_MIN, _KEY_MAX = 8, 64


class HasDatabase(Protocol):
    """The part of a service's ``Services`` that :data:`Session` reads."""

    @property
    def database(self) -> Database:
        """The service's database."""


async def _session(request: Request) -> AsyncIterator[DatabaseSession]:
    services: HasDatabase = request.app.state.services
    async with services.database.transaction() as session:
        yield session


Session = Annotated[DatabaseSession, Depends(_session, scope="function")]
"""One request, one transaction. Function scope: the commit comes before the response, so a failed one is no 200."""


async def _idempotency_key(
    idempotency_key: Annotated[
        str | None, Header(description=f"{_KEY_MIN} to {_KEY_MAX} letters, digits or hyphens, e.g. a UUID")
    ] = None,
) -> str:
    key = idempotency_key or ""
    if not _KEY_MIN <= len(key) <= _KEY_MAX or not key.isascii() or not key.replace("-", "").isalnum():
        raise IdempotencyKeyMissingError
    return key


IdempotencyKey = Annotated[str, Depends(_idempotency_key)]
"""The Idempotency-Key header. Raises IdempotencyKeyMissingError."""
