"""Looks up applicants whose identity was pending when they submitted their request."""

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import structlog
from prometheus_client import Counter, Gauge

from desk.chassis.bus import ContractError
from desk.chassis.crypto import Vault
from desk.chassis.events import Outbox, Received
from desk.chassis.telemetry import Telemetry
from desk.database import Database, DatabaseSession
from desk.intake.clients import RegistryClient
from desk.intake.domain import IdentityState, Request, Verdict, conclude, is_foreign, next_check
from desk.intake.events import Identity, PendingWithdrawn, RequestIdentityRejected, request_submitted
from desk.intake.store import AttachmentStore, Claim, IdentityCheckStore

log = structlog.get_logger(__name__)

POLL_SECONDS = 5.0
"""At the usual first wait of a minute; with a shorter one as much more often, but not more than every second."""
USUAL_FIRST_WAIT_SECONDS = 60.0
MEASURE_SECONDS = 15.0
SEQ = 2
"""The end of a check is the second event of its request; the first one was that it is pending."""


def poll_seconds(first_wait_seconds: float) -> float:
    """Return the pause between two searches for an identity that is due."""
    return max(1.0, min(POLL_SECONDS, POLL_SECONDS * first_wait_seconds / USUAL_FIRST_WAIT_SECONDS))


class IdentityCheck:
    """Looks pending identities up, one after the other. Any number of replicas may run it at once.

    A claim is committed before the registry is asked, so no lock is held during the look-up. If a replica dies, the
    lease of its claim expires. A replica that was too slow finds the check claimed again, and changes nothing.
    """

    def __init__(
        self,
        database: Database,
        vault: Vault,
        outbox: Outbox,
        registry: RegistryClient,
        telemetry: Telemetry,
        *,
        first_wait: timedelta,
    ) -> None:
        self._database = database
        self._vault = vault
        self._outbox = outbox
        self._registry = registry
        self._first_wait = first_wait
        self._measure_after = 0.0
        self._outcomes = Counter(
            "desk_identity_checks", "Later look-ups by outcome", ["outcome"], registry=telemetry.registry
        )
        self._waiting = Gauge("desk_identities_pending", "Requests not yet released", registry=telemetry.registry)
        self._oldest = Gauge(
            "desk_identities_oldest_pending_seconds", "Age of the oldest of them", registry=telemetry.registry
        )

    async def run_once(self) -> float | None:
        """Check one identity; return 0 if there may be another one."""
        await self._measure()
        return 0 if await self.check_next() else None

    async def check_next(self) -> bool:
        """Check the identity that has been due longest; False if none is due."""
        async with self._database.transaction() as session:
            claim = await IdentityCheckStore(session, self._vault).claim()
        if claim is None:
            return False
        applicant = claim.request.applicant
        verdict = await self._registry.look_up(applicant.national_id, applicant.birth_date)
        state = conclude(verdict, foreign=is_foreign(applicant.national_id))
        async with self._database.transaction() as session:
            recorded = await self._record(session, claim, verdict, state)
        self._outcomes.labels(verdict.outcome.value if recorded else "lapsed").inc()
        log.info(
            "identity checked",
            outcome=verdict.outcome.value,
            state=state.value,
            attempts=claim.attempts,
            recorded=recorded,
        )
        return True

    async def on_pending_withdrawn(self, session: DatabaseSession, received: Received[PendingWithdrawn]) -> None:
        """End the check of a withdrawn request, unless a look-up has ended it before. Raises ContractError."""
        state = await IdentityCheckStore(session, self._vault).withdraw(received.data.tracking_code)
        if state is None:
            raise ContractError("intake has no such request")
        log.info("pending request withdrawn", event_id=received.id, in_time=state is IdentityState.WITHDRAWN)

    async def _record(self, session: DatabaseSession, claim: Claim, verdict: Verdict, state: IdentityState) -> bool:
        """Write the result and publish it in the same transaction; False if the lease of the claim has expired."""
        store = IdentityCheckStore(session, self._vault)
        if state is IdentityState.PENDING:
            again = next_check(verdict, attempts=claim.attempts, first_wait=self._first_wait, now=datetime.now(UTC))
            return await store.schedule_retry(claim, verdict.outcome, again)
        if not await store.settle(claim, state, verdict.outcome, verdict.person):
            return False
        if state is IdentityState.REJECTED:
            await self._reject(session, claim.request, verdict)
        else:
            identity: Identity = "confirmed" if state is IdentityState.CONFIRMED else "unconfirmed"
            await self._release(session, claim.request, verdict, identity)
        return True

    async def _release(self, session: DatabaseSession, request: Request, verdict: Verdict, identity: Identity) -> None:
        """Publish the request to its province, with the registry's names if it returned any."""
        if verdict.person is not None:
            request = replace(request, applicant=request.applicant.named(verdict.person))
        files = await AttachmentStore(session, self._vault).of_request(request.id)
        event = request_submitted(request, files, identity)
        await self._outbox.add(session, event, subject=request.tracking_code, key=request.first_office, seq=SEQ)

    async def _reject(self, session: DatabaseSession, request: Request, verdict: Verdict) -> None:
        event = RequestIdentityRejected(
            tracking_code=request.tracking_code, at=datetime.now(UTC), reason=verdict.outcome.value
        )
        await self._outbox.add(session, event, subject=request.tracking_code, key=request.first_office, seq=SEQ)

    async def _measure(self) -> None:
        if time.monotonic() < self._measure_after:
            return
        self._measure_after = time.monotonic() + MEASURE_SECONDS
        async with self._database.transaction() as session:
            pending = await IdentityCheckStore(session, self._vault).pending()
        self._waiting.set(pending.count)
        self._oldest.set(pending.oldest_seconds)
