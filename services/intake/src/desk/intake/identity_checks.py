"""Asks the civil registry later about applicants it could not name when they sent their request."""

import asyncio
import time
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import structlog
from prometheus_client import Counter, Gauge
from sqlalchemy.ext.asyncio import AsyncSession

from desk.chassis.bus import ContractError
from desk.chassis.crypto import Vault
from desk.chassis.events import Outbox, Received
from desk.chassis.telemetry import Telemetry
from desk.database import Database
from desk.intake.announcements import whole
from desk.intake.clients import RegistryClient
from desk.intake.domain import IdentityState, Request, Verdict, conclude, is_foreign, next_check
from desk.intake.events import PendingWithdrawn, RequestIdentityRejected, RequestSubmitted
from desk.intake.store import AttachmentStore, CheckStore, Claim

log = structlog.get_logger(__name__)

POLL_SECONDS = 1.0
MEASURE_SECONDS = 15.0
SEQ = 2
"""The end of a check is the second event of its request; that it is pending was the first."""


class IdentityChecks:
    """Looks pending identities up, one after the other. Any number may run at once: each takes what no other holds.

    A claim is committed before the registry is asked, so that no lock is held meanwhile. Whoever dies with a claim
    leaves it to lapse; whoever was only slow finds it taken over, and changes nothing.
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
        self._finishing = asyncio.Event()
        self._measure_after = 0.0
        self._outcomes = Counter(
            "desk_identity_checks", "Later look-ups by outcome", ["outcome"], registry=telemetry.registry
        )
        self._waiting = Gauge("desk_identities_pending", "Requests not yet released", registry=telemetry.registry)
        self._oldest = Gauge(
            "desk_identities_oldest_pending_seconds", "Age of the oldest of them", registry=telemetry.registry
        )

    def finish(self) -> None:
        """End after the check that is under way."""
        self._finishing.set()

    async def run(self) -> None:
        """Check until :meth:`finish`; errors of the database end the call, and the caller starts it again."""
        while not self._finishing.is_set():
            await self._measure()
            if not await self.check_next():
                with suppress(TimeoutError):
                    async with asyncio.timeout(POLL_SECONDS):
                        await self._finishing.wait()

    async def check_next(self) -> bool:
        """Check the identity that is due longest; False if none is due."""
        async with self._database.transaction() as session:
            claim = await CheckStore(session, self._vault).claim()
        if claim is None:
            return False
        applicant = claim.request.applicant
        verdict = await self._registry.look_up(applicant.national_id, applicant.birth_date)
        state = conclude(verdict, foreign=is_foreign(applicant.national_id))
        async with self._database.transaction() as session:
            ours = await self._record(session, claim, verdict, state)
        self._outcomes.labels(verdict.outcome.value if ours else "lapsed").inc()
        log.info("identity checked", outcome=verdict.outcome.value, state=state.value, tries=claim.tries, ours=ours)
        return True

    async def hear_of_withdrawal(self, session: AsyncSession, received: Received[PendingWithdrawn]) -> None:
        """End the check of a request that was taken back: whoever of the two comes first decides.

        A check that was decided before stands as it was announced. Raises ContractError.
        """
        state = await CheckStore(session, self._vault).withdraw(received.data.tracking_code)
        if state is None:
            raise ContractError("a request intake has not taken")
        log.info("pending request withdrawn", event_id=received.id, in_time=state is IdentityState.WITHDRAWN)

    async def _record(self, session: AsyncSession, claim: Claim, verdict: Verdict, state: IdentityState) -> bool:
        """Write what a check has come to, and announce it in the same transaction; False if the claim has lapsed."""
        store = CheckStore(session, self._vault)
        if state is IdentityState.PENDING:
            again = next_check(verdict, tries=claim.tries, first_wait=self._first_wait, now=datetime.now(UTC))
            return await store.put_off(claim, verdict.outcome, again)
        if not await store.settle(claim, state, verdict.outcome, verdict.person):
            return False
        if state is IdentityState.REJECTED:
            await self._announce_rejection(session, claim.request, verdict)
        else:
            await self._release(session, claim.request, verdict, state)
        return True

    async def _release(self, session: AsyncSession, request: Request, verdict: Verdict, state: IdentityState) -> None:
        """Hand the request to its province, under the registry's names if it has given any."""
        if verdict.person is not None:
            request = replace(request, applicant=request.applicant.named(verdict.person))
        files = await AttachmentStore(session, self._vault).of_request(request.id)
        event = RequestSubmitted.model_validate(whole(request, files) | {"identity": state.value})
        await self._outbox.add(session, event, subject=request.tracking_code, key=request.province, seq=SEQ)

    async def _announce_rejection(self, session: AsyncSession, request: Request, verdict: Verdict) -> None:
        event = RequestIdentityRejected(
            tracking_code=request.tracking_code, at=datetime.now(UTC), reason=verdict.outcome.value
        )
        await self._outbox.add(session, event, subject=request.tracking_code, key=request.province, seq=SEQ)

    async def _measure(self) -> None:
        if time.monotonic() < self._measure_after:
            return
        self._measure_after = time.monotonic() + MEASURE_SECONDS
        async with self._database.transaction() as session:
            pending = await CheckStore(session, self._vault).pending()
        self._waiting.set(pending.count)
        self._oldest.set(pending.oldest_seconds)
