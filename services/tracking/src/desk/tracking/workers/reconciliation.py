"""Looks for silent provinces and late answers every minute, and reconciles once a day."""

from collections import Counter
from datetime import UTC, datetime

import structlog
from prometheus_client import CollectorRegistry, Gauge

from desk.chassis.app import PeriodicTask
from desk.chassis.problem import ServiceUnavailableError
from desk.iran.offices import OFFICES
from desk.tracking.service import Difference, Kind, Reconciliation
from desk.tracking.service.reconciliation import DAY

log = structlog.get_logger(__name__)

PAUSE_SECONDS = 60.0


class ReconciliationTask(PeriodicTask):
    """Runs the reconciliation and sets its metrics."""

    def __init__(self, reconciliation: Reconciliation, registry: CollectorRegistry) -> None:
        super().__init__(self.run_due, PAUSE_SECONDS)
        self._reconciliation = reconciliation
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
        self._overdue = Gauge(
            "desk_cases_overdue", "Open cases whose answer is late, by their office", ["province"], registry=registry
        )
        self._due = datetime.min.replace(tzinfo=UTC)

    async def run_due(self) -> None:
        """Look for silent provinces and late answers, and reconcile if the last comparison was a day ago."""
        now = datetime.now(UTC)
        await self.check_silence(now)
        await self.count_overdue()
        if now < self._due:
            return
        try:
            await self.reconcile(now)
        except ServiceUnavailableError:  # the next call retries; an alert reports a comparison that is missing
            log.warning("reconciliation delayed: intake is unavailable")
            return
        self._due = now + DAY

    async def reconcile(self, now: datetime) -> list[Difference]:
        """Compare and set the metrics. Raises ServiceUnavailableError if intake is unavailable."""
        found = await self._reconciliation.find_differences(now)
        counts: Counter[Kind] = Counter()
        for difference in found:
            counts[difference.kind] += difference.count
        for kind in Kind:
            self._differences.labels(kind.value).set(counts[kind])
        self._reconciled.set(now.timestamp())
        write = log.warning if found else log.info
        write("reconciled", differences=counts.total(), **{kind.value: counts[kind] for kind in counts})
        return found

    async def check_silence(self, now: datetime) -> set[str]:
        """Look for silent provinces and set the metric; return their keys."""
        silent = await self._reconciliation.find_silent_provinces(now)
        for each in OFFICES:
            self._silent.labels(each.key).set(each.key in silent)
        return silent

    async def count_overdue(self) -> None:
        """Count the late answers of each office."""
        overdue = await self._reconciliation.count_overdue()
        for each in OFFICES:
            self._overdue.labels(each.key).set(overdue.get(each.key, 0))
