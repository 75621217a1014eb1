"""Figures of offices, and the roll-up that they are read from."""

from dataclasses import dataclass
from datetime import datetime

import structlog

from desk.chassis.crypto import DecryptionError
from desk.database import Database, DatabaseSession
from desk.iran.offices import HEADQUARTERS
from desk.tracking.domain import (
    CaseErasedError,
    Facts,
    HistoryEntry,
    Month,
    MonthCounts,
    OfficeNotPermittedError,
    Period,
    Request,
)
from desk.tracking.service.context import CaseContext
from desk.tracking.store import FigureStore

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Scope:
    """What is counted: the requests of a period, of one office or, if ``office`` is None, of all."""

    period: Period
    office: str | None


@dataclass(frozen=True, slots=True)
class CountedPeriod:
    """The counts of a scope as they are at ``at``, in the order of months."""

    scope: Scope
    at: datetime
    counts: list[MonthCounts]


@dataclass(frozen=True, slots=True)
class Figures:
    """Counts the requests of offices, and adds cases to the roll-up. Any number of replicas may do so at once."""

    database: Database
    context: CaseContext

    def scope(self, caller: str, office: str | None, first: Month | None, last: Month | None) -> Scope:
        """Return what an office asks for: headquarters may ask for every office, a province for its own.

        Raises OfficeNotPermittedError or PeriodInvalidError.
        """
        if caller != HEADQUARTERS.key:
            if office not in {None, caller}:
                raise OfficeNotPermittedError
            office = caller
        return Scope(Period.of(first, last, self.context.clock()), office)

    async def count(self, scope: Scope) -> CountedPeriod:
        """Return the counts of a scope as they are now."""
        now = self.context.clock()
        async with self.database.read() as session:
            return CountedPeriod(scope, now, await FigureStore(session).counts(scope.period, scope.office))

    async def count_settled(self, limit: int) -> int:
        """Add up to ``limit`` cases whose figures no longer change to the roll-up, and return their number."""
        async with self.database.transaction() as session:
            return await FigureStore(session).count_settled(limit)

    async def read_unread(self, limit: int) -> int:
        """Record the facts of up to ``limit`` cases from before figures were recorded, and return their number."""
        async with self.database.transaction() as session:
            store = FigureStore(session)
            codes = await store.lock_unread(limit)
            for code in codes:
                await store.record(code, await self._facts(session, code))
        return len(codes)

    async def _facts(self, session: DatabaseSession, code: str) -> Facts:
        """Return the facts of a case; what cannot be read is counted under an unknown subject."""
        cases, request, history = self.context.cases(session), None, list[HistoryEntry]()
        bare = await cases.lock_bare(code)
        if bare is None:
            raise LookupError("a locked case is missing")
        try:
            request = await self._request(session, code)
            history = await cases.history(code)
        except (CaseErasedError, DecryptionError) as error:
            log.warning("an unreadable case is counted", reason=type(error).__name__)
        return Facts.read(bare, request, history, self.context.terms.calendar)

    async def _request(self, session: DatabaseSession, code: str) -> Request | None:
        found = await self.context.cases(session).find(code)
        return found[1] if found is not None else None
