"""The FastAPI dependency of routes that work in one transaction."""

from collections.abc import AsyncIterator
from typing import Annotated, Protocol

from fastapi import Depends, Request

from desk.database import Database, DatabaseSession


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
