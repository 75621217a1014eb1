"""Shows synthetic requests to ``desk-probe``, and deletes them after an hour."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from desk.chassis.client_assertions import ClientAssertions
from desk.chassis.events import Received
from desk.chassis.rate_limits import RateLimits
from desk.database import Database, DatabaseSession
from desk.tracking.domain import RequestNotFoundError
from desk.tracking.events import RequestProbed
from desk.tracking.store import Probe, ProbeStore

KEPT_FOR = timedelta(hours=1)
LIMIT = "120/minute"
"""Enough for a probe that asks for its request every second."""


async def on_request_probed(session: DatabaseSession, received: Received[RequestProbed]) -> None:
    """Record a synthetic request. No case is opened."""
    data = received.data
    await ProbeStore(session).add(Probe(data.tracking_code, data.submitted_at, datetime.now(UTC), None))


@dataclass(frozen=True, slots=True)
class Probes:
    """Finds synthetic requests, and no others."""

    database: Database
    assertions: ClientAssertions
    rate_limits: RateLimits
    clock: Callable[[], datetime]

    async def admit(self, assertion: str | None, source: str) -> None:
        """Admit one call of the probe. ``source`` is the caller's address.

        Raises the errors of ``ASSERTION_ERRORS``, or RateLimitExceededError.
        """
        await self.rate_limits.reserve(LIMIT, "probes", await self.assertions.client_of(assertion, source))

    async def find(self, tracking_code: str) -> Probe:
        """Return a synthetic request by its code. Raises RequestNotFoundError."""
        async with self.database.transaction() as session:
            probe = await ProbeStore(session).find(tracking_code, self.clock())
        if probe is None:
            raise RequestNotFoundError
        return probe

    async def last_found(self) -> Probe | None:
        """Return the synthetic request that was found last, and delete those that are older than an hour."""
        async with self.database.transaction() as session:
            store = ProbeStore(session)
            found = await store.last_found()
            await store.delete_before(self.clock() - KEPT_FOR)
        return found
