"""Compares intake, tracking, the outboxes and the provinces' acknowledgements, and finds silent provinces."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import structlog

from desk.chassis.events import Outbox
from desk.database import Database
from desk.iran.offices import HEADQUARTERS
from desk.tracking.clients import IntakeClient
from desk.tracking.domain import State
from desk.tracking.events import Named, ProvinceSilent
from desk.tracking.responses import KnownCode, KnownCodes
from desk.tracking.service.context import named_office
from desk.tracking.store import KnownState, ReconciliationStore, Waiting

log = structlog.get_logger(__name__)

PAGE = 1000
GRACE = timedelta(minutes=10)
"""How long the delivery of an event may take before its absence is a difference."""
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


class Kind(StrEnum):
    """Kinds of differences."""

    UNKNOWN_TO_TRACKING = "unknown_to_tracking"
    UNKNOWN_TO_INTAKE = "unknown_to_intake"
    OTHER_STATE = "other_state"
    UNSENT = "unsent"
    UNACKNOWLEDGED = "unacknowledged"
    UNCLAIMED_FILES = "unclaimed_files"


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference; ``where`` is a tracking code, a service or a province."""

    kind: Kind
    where: str
    count: int = 1


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """Compares the requests of the last days, and finds silent provinces."""

    database: Database
    outbox: Outbox
    intake: IntakeClient
    days: int
    silent_after: timedelta

    async def find_differences(self, now: datetime) -> list[Difference]:
        """List the differences; there should be none. Raises ServiceUnavailableError if intake is unavailable."""
        settled = now - GRACE
        found: list[Difference] = []
        for hour in range(self.days * 24):
            until = settled - hour * HOUR
            found.extend(await self._compare_hour(until - HOUR, until, settled))
        found.extend(_left_at_intake(await self.intake.list_codes(settled, settled, "", 1)))
        async with self.database.transaction() as session:
            unsent, oldest = await self.outbox.backlog(session)
            waiting = await ReconciliationStore(session).unacknowledged(now - self.silent_after)
        if oldest > GRACE.total_seconds():
            found.append(Difference(Kind.UNSENT, "tracking", unsent))
        found.extend(Difference(Kind.UNACKNOWLEDGED, each.province, each.requests) for each in waiting.values())
        return found

    async def _compare_hour(self, since: datetime, until: datetime, settled: datetime) -> list[Difference]:
        """Compare the requests of one hour: each page reads all of them, in both services, in the order of codes."""
        found: list[Difference] = []
        after: str | None = ""
        while after is not None:
            page = await self.intake.list_codes(since, until, after, PAGE)
            last = page.requests[-1].tracking_code if len(page.requests) == PAGE else None
            async with self.database.transaction() as session:
                ours = await ReconciliationStore(session).states(since, until, after=after, upto=last)
            found.extend(_compare(page.requests, ours, settled))
            after = last
        return found

    async def count_overdue(self) -> dict[str, int]:
        """Return how many open cases of each province have a late answer; provinces without any are absent."""
        async with self.database.read() as session:
            return await ReconciliationStore(session).overdue()

    async def find_silent_provinces(self, now: datetime) -> set[str]:
        """Return the silent provinces; publish an event to headquarters, once, for each that becomes silent."""
        since = now - self.silent_after
        async with self.database.transaction() as session:
            store = ReconciliationStore(session)
            waiting = await store.unacknowledged(since)
            silent = waiting.keys() - (await store.provinces_active_since(since) if waiting else set())
            for key in sorted(silent):
                times = await store.begin_silence(key, now)
                if times is not None:
                    log.error("province is silent", province=key, waiting=waiting[key].requests)
                    event = _silence_event(waiting[key], now)
                    await self.outbox.add(session, event, subject=key, key=HEADQUARTERS.key, seq=times)
            await store.end_silences(silent, now)
        return set(silent)


def _left_at_intake(page: KnownCodes) -> Iterator[Difference]:
    if page.oldest_unsent_seconds > GRACE.total_seconds():
        yield Difference(Kind.UNSENT, "intake", page.unsent)
    if page.files_unannounced:
        yield Difference(Kind.UNCLAIMED_FILES, "intake", page.files_unannounced)


def _compare(theirs: list[KnownCode], ours: dict[str, KnownState], settled: datetime) -> Iterator[Difference]:
    for known in theirs:
        here = ours.get(known.tracking_code)
        if here is None:
            yield Difference(Kind.UNKNOWN_TO_TRACKING, known.tracking_code)
        elif not _agree(known.state, here.state) and not _in_transit(known.since, here.since, settled=settled):
            yield Difference(Kind.OTHER_STATE, known.tracking_code)
    for code in sorted(ours.keys() - {known.tracking_code for known in theirs}):
        if ours[code].state is not State.ERASED:  # a code may be erased that intake does not know either
            yield Difference(Kind.UNKNOWN_TO_INTAKE, code)


def _agree(at_intake: State, here: State) -> bool:
    """Return whether the two states agree about the applicant's identity.

    A withdrawal may have crossed the end of a look-up, but a withdrawn request must not be pending at intake.
    """
    of_identity = {State.IDENTITY_PENDING, State.IDENTITY_REJECTED}
    if here is State.ERASED:  # intake keeps the code, and no state of the identity
        return True
    if here is State.WITHDRAWN:
        return at_intake is not State.IDENTITY_PENDING
    return here is at_intake if at_intake is not State.REGISTERED else here not in of_identity


def _in_transit(*since: datetime | None, settled: datetime) -> bool:
    """Return whether one of the states is so new that its event may not have arrived."""
    return any(moment is not None and moment >= settled for moment in since)


def _silence_event(waiting: Waiting, now: datetime) -> ProvinceSilent:
    return ProvinceSilent(
        province=Named.model_validate(named_office(waiting.province)),
        at=now,
        waiting=waiting.requests,
        oldest_since=waiting.oldest_since,
    )
