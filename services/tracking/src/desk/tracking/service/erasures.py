"""Erases cases whose term is over or on demand, asks services and offices to do the same, and records their answers."""

import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import structlog

from desk.chassis.bus import ContractError
from desk.chassis.crypto import DecryptionError
from desk.chassis.events import Received, erase_events
from desk.database import AuditEntry, Database, DatabaseSession, add_audit_entry
from desk.iran.offices import HEADQUARTERS
from desk.tracking.clients import IntakeClient
from desk.tracking.domain import (
    ACKNOWLEDGED_WITHIN,
    BEFORE_ANY_OFFICE,
    HEADQUARTERS_NOTIFIED,
    Case,
    Certificate,
    ErasingParty,
    ErasureReason,
    Facts,
    Figure,
    HistoryEntry,
    Retention,
    State,
    figure_of,
)
from desk.tracking.events import NO_OFFICE, ErasureDone, RequestErased
from desk.tracking.service.context import CaseContext
from desk.tracking.store import ErasureStore, FigureStore

log = structlog.get_logger(__name__)

SERVICES = ("intake", "notifier")
"""The services that have data of requests."""
PAGE = 1000
"""How many erased codes are read in one call."""
BY_TERM = "retention"
"""The actor in the audit log of an erasure after the term."""


@dataclass(frozen=True, slots=True)
class Erasures:
    """Erases cases: after the term and on demand by the same path. Any number of replicas may do so at once.

    Each code is first added to the list in the object store, with its case locked, so that :meth:`repeat` finds it
    after a restore of the databases. An erasure raises ServiceUnavailableError, and changes nothing, if that fails.
    """

    database: Database
    context: CaseContext
    retention: Retention
    intake: IntakeClient

    async def erase_next_due(self) -> bool:
        """Erase the case whose term has been over longest; return False if there is none.

        Each case is a transaction of its own. A case that another session has locked is skipped.
        """
        expired_before = self.retention.expired_before(self.context.clock())
        async with self.database.transaction() as session:
            code = await self._store(session).next_due(expired_before)
            if code is None:
                return False
            await self._erase(session, code, ErasureReason.RETENTION, BY_TERM)
        return True

    async def erase(
        self, tracking_code: str, reason: ErasureReason, actor: str, *, even_unknown: bool = False
    ) -> Certificate | None:
        """Erase a case on demand; return its certificate, which a repeat does not change.

        ``actor`` is the operator, for the audit log. None if there is no such case; with ``even_unknown`` its code is
        remembered as erased, and intake and notifier are asked to erase it, so that a later submission has no effect.
        """
        async with self.database.transaction() as session:
            if even_unknown:
                await self._remember(session, tracking_code, reason, actor)
            return await self._erase(session, tracking_code, reason, actor)

    async def repeat(self, actor: str) -> list[str]:
        """Erase again what a restored backup brought back. Return the codes.

        These are cases whose key was destroyed, and codes on the list in the object store that are not erased here,
        because the backup of the keys is from before the erasure. Raises ServiceUnavailableError.
        """
        async with self.database.transaction() as session:
            codes = await self._store(session).codes_without_key()
        async for page in self._listed():
            async with self.database.transaction() as session:
                erased = await self._store(session).erased_among(page)
            codes.extend(code for code in page if code not in {*erased, *codes})
        for code in codes:
            await self.erase(code, ErasureReason.RESTORED, actor, even_unknown=True)
        return codes

    async def _listed(self) -> AsyncIterator[list[str]]:
        page = await self.intake.list_erased("", PAGE)
        while page:
            yield page
            page = await self.intake.list_erased(page[-1], PAGE)

    async def _remember(self, session: DatabaseSession, tracking_code: str, reason: ErasureReason, actor: str) -> None:
        """Add an erased case, and its certificate, for a code that tracking has no case of."""
        now = self.context.clock()
        case = Case(tracking_code, NO_OFFICE, State.ERASED, 0, 0, submitted_at=now, due_at=now, since=now, counted=True)
        if await self._store(session).add_erased(case):
            await self._certify(session, case, reason, actor, offices=[], informed=[])

    async def _erase(
        self, session: DatabaseSession, tracking_code: str, reason: ErasureReason, actor: str
    ) -> Certificate | None:
        case, store = await self.context.cases(session).lock_bare(tracking_code), self._store(session)
        if case is None or case.state is State.ERASED:
            return await store.certificate(tracking_code)
        figure, facts = await self._figures(session, case)
        offices = [] if case.state in BEFORE_ANY_OFFICE else await store.offices_of(case)
        if case.commented and HEADQUARTERS.key not in offices:
            offices.append(HEADQUARTERS.key)
        only_informed = case.overdue >= HEADQUARTERS_NOTIFIED and HEADQUARTERS.key not in offices
        informed = [HEADQUARTERS.key] if only_informed else []
        erased = case.erase(at=self.context.clock())
        await self._certify(session, erased, reason, actor, offices=offices, informed=informed)
        await store.count(figure)
        if not case.counted and case.state not in BEFORE_ANY_OFFICE:
            await FigureStore(session).add({facts.of: {facts.cell: facts.tally()}})
        return await store.certificate(tracking_code)

    async def _certify(
        self,
        session: DatabaseSession,
        case: Case,
        reason: ErasureReason,
        actor: str,
        *,
        offices: list[str],
        informed: list[str],
    ) -> None:
        """Empty an erased case, record it in a certificate and in the audit log, and publish it."""
        store, now = self._store(session), self.context.clock()
        await self.intake.add_erased(case.tracking_code)
        await erase_events(session, case.tracking_code)
        certificate = Certificate(
            id=str(uuid.uuid4()),
            tracking_code=case.tracking_code,
            reason=reason,
            requested_at=now,
            erased_at=now,
            removed=await store.empty_case(case.tracking_code),
            parties=(
                *(ErasingParty(name, now) for name in (*SERVICES, *offices)),
                *(ErasingParty(name, now, informed_only=True) for name in informed),
            ),
        )
        await store.add(certificate)
        await add_audit_entry(session, AuditEntry(actor, "erased", case.tracking_code, about=reason.value))
        for key in (*offices, *informed) if offices else (NO_OFFICE,):
            case = await self._publish(session, case, certificate, key)
        await self.context.cases(session).update(case)
        log.info("case erased", reason=reason.value, certificate=certificate.id)

    async def _figures(self, session: DatabaseSession, case: Case) -> tuple[Figure, Facts]:
        """Return what the case adds to both kinds of figures; unreadable data does not prevent its erasure."""
        cases, request, history = self.context.cases(session), None, list[HistoryEntry]()
        try:
            found = await cases.find_and_lock(case.tracking_code)
            history = await cases.history(case.tracking_code)
            request = found[1] if found is not None else None
        except DecryptionError as error:
            log.warning("an unreadable case is erased", reason=type(error).__name__)
        read = Facts.read(case, request, history, self.context.terms.calendar)
        figure = figure_of(case, history, *read.cell)
        return figure, await FigureStore(session).recorded(case) or read

    async def _publish(self, session: DatabaseSession, case: Case, certificate: Certificate, key: str) -> Case:
        case = case.with_next_seq()
        event = RequestErased(
            tracking_code=case.tracking_code,
            reason=certificate.reason,
            certificate_id=certificate.id,
            at=certificate.erased_at,
        )
        await self.context.outbox.add(session, event, subject=case.tracking_code, key=key, seq=case.seq)
        return case

    async def ask_late_office(self, session: DatabaseSession, tracking_code: str, office: str, seq: int) -> None:
        """Ask an office to erase that received the request, in event ``seq``, only after, or while, it was erased."""
        store, cases = self._store(session), self.context.cases(session)
        case, certificate = await cases.lock_bare(tracking_code), await store.certificate(tracking_code)
        if case is None or certificate is None:
            raise ContractError("an erased case without a certificate")
        if await store.add_party(certificate.id, ErasingParty(office, self.context.clock())):
            later = replace(case, seq=max(case.seq, seq))
            await cases.update(await self._publish(session, later, certificate, office))

    async def on_erasure_done(self, session: DatabaseSession, received: Received[ErasureDone]) -> None:
        """Record that a service has erased its data. Raises ContractError if it was not asked to."""
        done = received.data
        party = received.source.rpartition("/")[2]
        known = await self._store(session).acknowledge(
            done.tracking_code, done.certificate_id, party, done.at, done.removed
        )
        if not known:
            raise ContractError("an erasure that was not asked for")

    async def count_overdue(self) -> int:
        """Count the acknowledgements that are missing for more than seven days."""
        async with self.database.transaction() as session:
            return await self._store(session).count_pending(self.context.clock() - ACKNOWLEDGED_WITHIN)

    async def certificate(self, tracking_code: str) -> Certificate | None:
        """Return the certificate of a case; None if it was not erased."""
        async with self.database.transaction() as session:
            return await self._store(session).certificate(tracking_code)

    async def pending(self) -> list[Certificate]:
        """List the erasures that are not acknowledged by all, the oldest first."""
        async with self.database.transaction() as session:
            return await self._store(session).pending()

    async def figures(self) -> list[Figure]:
        """Return the figures about erased cases."""
        async with self.database.transaction() as session:
            return await self._store(session).figures()

    def _store(self, session: DatabaseSession) -> ErasureStore:
        return ErasureStore(session, self.context.vault)
