"""Polls for delivery reports every 15 seconds, and sets the metrics of providers and queue."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Gauge

from desk.chassis.app import PeriodicTask
from desk.notifier.service import DeliveryReports
from desk.notifier.service.delivery_reports import BATCH_SIZE

PAUSE_SECONDS = 15.0


class DeliveryReportTask(PeriodicTask):
    """Polls until no report is due, then ends what is overdue."""

    def __init__(self, reports: DeliveryReports, providers: Iterable[str], registry: CollectorRegistry) -> None:
        """``providers`` are the names of the SMS providers."""
        super().__init__(self.run_round, PAUSE_SECONDS)
        self._reports = reports
        self._providers = tuple(providers)
        self._trust = Gauge("desk_sms_trust", "Part of its weight a provider keeps", ["provider"], registry=registry)
        self._lateness = Gauge("desk_messages_late_seconds", "How late", ["channel"], registry=registry)
        self._failed = Gauge(
            "desk_messages_given_up",
            "Messages of the last day that failed for good",
            ["channel", "trouble"],
            registry=registry,
        )

    async def run_round(self) -> None:
        """Poll all due reports, and end what is overdue."""
        while await self._reports.poll_due() == BATCH_SIZE and not self.finishing:
            continue
        await self.close_overdue()

    async def close_overdue(self) -> None:
        """End what is overdue, and set the metrics."""
        status = await self._reports.close_overdue()
        self._failed.clear()
        for (channel, trouble), count in status.failed.items():
            self._failed.labels(channel, trouble).set(count)
        for name in self._providers:
            self._trust.labels(name).set(status.provider_stats[name].trust if name in status.provider_stats else 1.0)
        for channel, seconds in status.lateness.items():
            self._lateness.labels(channel).set(seconds)
