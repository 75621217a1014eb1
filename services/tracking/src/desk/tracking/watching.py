"""Holds intake, tracking, the broker and what provinces acknowledge against each other, and notices who is silent."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import structlog
from prometheus_client import CollectorRegistry, Gauge

from desk.chassis.events import Outbox
from desk.chassis.problem import ServiceUnavailableError
from desk.database import Database
from desk.iran.provinces import PROVINCES, province
from desk.tracking.clients import IntakeClient, KnownCode, KnownCodes
from desk.tracking.domain import State
from desk.tracking.events import Named, ProvinceSilent
from desk.tracking.service import HEADQUARTERS
from desk.tracking.store import Standing, Waiting, WatchStore

log = structlog.get_logger(__name__)

PAGE = 1000
GRACE = timedelta(minutes=10)
"""How long an event may be on its way before that is a difference."""
LOOK_SECONDS = 60.0
DAY = timedelta(days=1)


class Kind(StrEnum):
    """What may not fit."""

    UNKNOWN_TO_TRACKING = "unknown_to_tracking"
    UNKNOWN_TO_INTAKE = "unknown_to_intake"
    OTHER_STATE = "other_state"
    UNSENT = "unsent"
    UNACKNOWLEDGED = "unacknowledged"
    UNCLAIMED_FILES = "unclaimed_files"


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that does not fit; ``where`` is a tracking code, a service or a province."""

    kind: Kind
    where: str
    count: int = 1


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """Compares what each side knows of the requests of the last days."""

    database: Database
    outbox: Outbox
    intake: IntakeClient
    days: int
    silent_after: timedelta

    async def differences(self, now: datetime) -> list[Difference]:
        """List what does not fit; nothing is the aim. Raises ServiceUnavailableError without intake."""
        since, until = now - self.days * DAY, now - GRACE
        found: list[Difference] = []
        after: str | None = ""
        while after is not None:
            page = await self.intake.codes(since, until, after, PAGE)
            last = page.requests[-1].tracking_code if len(page.requests) == PAGE else None
            async with self.database.transaction() as session:
                ours = await WatchStore(session).codes(since, until, after=after, upto=last)
            found.extend(_compare(page.requests, ours, until))
            if not after:
                found.extend(_left_at_intake(page))
            after = last
        async with self.database.transaction() as session:
            unsent, oldest = await self.outbox.backlog(session)
            waiting = await WatchStore(session).unacknowledged(now - self.silent_after)
        if oldest > GRACE.total_seconds():
            found.append(Difference(Kind.UNSENT, "tracking", unsent))
        found.extend(Difference(Kind.UNACKNOWLEDGED, each.province, each.requests) for each in waiting.values())
        return found


def _left_at_intake(page: KnownCodes) -> Iterator[Difference]:
    if page.oldest_unsent_seconds > GRACE.total_seconds():
        yield Difference(Kind.UNSENT, "intake", page.unsent)
    if page.files_unannounced:
        yield Difference(Kind.UNCLAIMED_FILES, "intake", page.files_unannounced)


def _compare(theirs: list[KnownCode], ours: dict[str, Standing], until: datetime) -> Iterator[Difference]:
    for known in theirs:
        standing = ours.get(known.tracking_code)
        if standing is None:
            yield Difference(Kind.UNKNOWN_TO_TRACKING, known.tracking_code)
        elif not _fits(known.state, standing.state) and not _is_under_way(known.since, standing.since, until=until):
            yield Difference(Kind.OTHER_STATE, known.tracking_code)
    for code in sorted(ours.keys() - {known.tracking_code for known in theirs}):
        yield Difference(Kind.UNKNOWN_TO_INTAKE, code)


def _fits(at_intake: State, here: State) -> bool:
    """Tell whether both know the same of the applicant.

    A withdrawal may have crossed the end of a look-up; but nobody is to be looked up any more who has withdrawn.
    """
    of_identity = {State.IDENTITY_PENDING, State.IDENTITY_REJECTED}
    if here is State.WITHDRAWN:
        return at_intake is not State.IDENTITY_PENDING
    return here is at_intake if at_intake is not State.REGISTERED else here not in of_identity


def _is_under_way(*since: datetime | None, until: datetime) -> bool:
    """Tell whether one of them has learnt something so lately that the other may not have heard of it."""
    return any(moment is not None and moment >= until for moment in since)


class Watch:
    """Looks for silent provinces every minute, and reconciles once a day. Any number may run at once."""

    def __init__(self, reconciliation: Reconciliation, registry: CollectorRegistry) -> None:
        self._reconciliation = reconciliation
        self._database = reconciliation.database
        self._outbox = reconciliation.outbox
        self._differences = Gauge(
            "desk_reconciliation_differences", "What did not fit at the last comparison", ["kind"], registry=registry
        )
        self._reconciled = Gauge(
            "desk_reconciliation_time_seconds", "When the last comparison ended, Unix time", registry=registry
        )
        self._silent = Gauge(
            "desk_province_silent",
            "1 while a province acknowledges nothing and requests wait",
            ["province"],
            registry=registry,
        )
        self._due = datetime.min.replace(tzinfo=UTC)
        self._finishing = asyncio.Event()

    def finish(self) -> None:
        """End after what is under way."""
        self._finishing.set()

    async def run(self) -> None:
        """Watch until :meth:`finish`; errors of the database end the call."""
        while not self._finishing.is_set():
            now = datetime.now(UTC)
            await self.look_for_silence(now)
            if now >= self._due:
                await self._reconcile(now)
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._finishing.wait()

    async def _reconcile(self, now: datetime) -> None:
        try:
            await self.reconcile(now)
        except ServiceUnavailableError:  # the next look tries again; an alarm tells of a comparison that is missing
            log.warning("reconciliation put off: intake is away")
            return
        self._due = now + DAY

    async def reconcile(self, now: datetime) -> list[Difference]:
        """Compare, and set the metric. Raises ServiceUnavailableError without intake."""
        found = await self._reconciliation.differences(now)
        counts: Counter[Kind] = Counter()
        for difference in found:
            counts[difference.kind] += difference.count
        for kind in Kind:
            self._differences.labels(kind.value).set(counts[kind])
        self._reconciled.set(now.timestamp())
        tell = log.warning if found else log.info
        tell("reconciled", differences=counts.total(), **{kind.value: counts[kind] for kind in counts})
        return found

    async def look_for_silence(self, now: datetime) -> set[str]:
        """Tell headquarters, once, of each province that falls silent; return those that are."""
        since = now - self._reconciliation.silent_after
        async with self._database.transaction() as session:
            store = WatchStore(session)
            waiting = await store.unacknowledged(since)
            silent = waiting.keys() - (await store.heard_since(since) if waiting else set())
            for key in sorted(silent):
                times = await store.begin_silence(key, now)
                if times is not None:
                    log.error("province is silent", province=key, waiting=waiting[key].requests)
                    event = _silent(waiting[key], now)
                    await self._outbox.add(session, event, subject=key, key=HEADQUARTERS, seq=times)
            await store.end_silence(silent, now)
        for each in PROVINCES:
            self._silent.labels(each.key).set(each.key in silent)
        return set(silent)


def _silent(waiting: Waiting, now: datetime) -> ProvinceSilent:
    return ProvinceSilent(
        province=Named(key=waiting.province, name=province(waiting.province).name),
        at=now,
        waiting=waiting.requests,
        oldest_since=waiting.oldest_since,
    )
