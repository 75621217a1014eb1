"""Accepts the synthetic requests of ``desk-probe``, and deletes them after an hour."""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime

from desk.chassis.client_assertions import ClientAssertions
from desk.chassis.crypto import Vault
from desk.chassis.events import Outbox
from desk.chassis.rate_limits import RateLimits
from desk.database import Database
from desk.intake.domain import KEPT_FOR, PROBE, Request, synthetic_request
from desk.intake.events import RequestProbed
from desk.intake.store import ProbeStore, RequestStore
from desk.intake.store.probes import BATCH

LIMIT = "10/minute"
"""Far above one a minute, so that a stolen key of the probe cannot fill the database."""

PRUNING_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Probes:
    """Stores synthetic requests as those of applicants are stored, in the same tables and with an event."""

    database: Database
    vault: Vault
    outbox: Outbox
    assertions: ClientAssertions
    rate_limits: RateLimits

    async def submit(self, assertion: str | None, source: str) -> Request:
        """Store a synthetic request; its content is always the same, and the caller chooses nothing in it.

        ``source`` is the caller's address. Raises the errors of ``ASSERTION_ERRORS``, or RateLimitExceededError.
        """
        await self.rate_limits.reserve(LIMIT, "probes", await self.assertions.client_of(assertion, source))
        request = synthetic_request(datetime.now(UTC))
        event = RequestProbed(tracking_code=request.tracking_code, submitted_at=request.submitted_at)
        async with self.database.transaction() as session:
            await RequestStore(session, self.vault).add(
                request,
                self.outbox.row(event, subject=request.tracking_code, key=PROBE, seq=1),
                idempotency_index=self.vault.index(str(uuid.uuid4()), "idempotency"),
                fingerprint=self.vault.index(PROBE, "fingerprint"),
            )
        return request

    async def prune(self) -> float | None:
        """Delete a batch of synthetic requests that are older than an hour; return 0 if there may be another one."""
        async with self.database.transaction() as session:
            deleted = await ProbeStore(session).delete_before(datetime.now(UTC) - KEPT_FOR)
        return 0 if deleted == BATCH else None
