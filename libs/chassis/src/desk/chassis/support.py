"""What a service shows of itself at its port for health, for ``desk-support bundle``: nothing personal, no secret."""

import socket
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from fastapi import APIRouter
from pydantic import BaseModel

from desk.chassis.health import READY_TIMEOUT_SECONDS, Readiness
from desk.chassis.telemetry import Telemetry, version_of
from desk.security.logs import recent_lines
from desk.security.settings import DeskSettings
from desk.security.shown_settings import shown


class Migrations(Protocol):
    """The migrations of a database, such as :class:`desk.database.Schema`."""

    @property
    def needed(self) -> str:
        """The newest one of this version."""

    async def found_within(self, seconds: float) -> str | None:
        """Return the last one that has run; None if none has, or the database is unavailable."""


@dataclass(frozen=True, slots=True)
class Described:
    """What a service has: its settings, and its schema if it has a database."""

    settings: DeskSettings | None = None
    schema: Migrations | None = None


class Support(BaseModel):
    """The state of one process of a service."""

    service: str
    version: str
    replica: str
    """The name of its machine: of the pod or the container."""
    started_at: datetime
    ready: bool
    reason: str
    """Why it is not ready; empty if it is."""
    migration_needed: str | None
    migration_found: str | None
    """None also if the database is unavailable."""
    settings: dict[str, object]
    recent_errors: list[str]
    """The last warnings and errors of its log, each a line of JSON."""


def support_router(readiness: Readiness, telemetry: Telemetry, described: Described) -> APIRouter:
    """Return the route of the port for health that shows the state of the process."""
    router = APIRouter(include_in_schema=False)
    started_at = datetime.now(UTC)

    @router.get("/support")
    async def support() -> Support:
        reason = await readiness.reason()
        return Support(
            service=telemetry.service,
            version=version_of(telemetry.service),
            replica=socket.gethostname(),
            started_at=started_at,
            ready=not reason,
            reason=reason,
            migration_needed=described.schema.needed if described.schema else None,
            migration_found=await described.schema.found_within(READY_TIMEOUT_SECONDS) if described.schema else None,
            settings=shown(described.settings) if described.settings else {},
            recent_errors=recent_lines(),
        )

    return router
