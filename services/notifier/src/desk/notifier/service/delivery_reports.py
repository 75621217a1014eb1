"""Follows messages after they are handed over: records the providers' reports, and polls for them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import structlog

from desk.database import Database
from desk.notifier.domain import ChannelName, ChannelUnavailableError, Delivery, ProviderStats, Trouble
from desk.notifier.providers import Provider
from desk.notifier.store import AwaitedReport, ClaimStore, DeliveryReportStore

log = structlog.get_logger(__name__)

BATCH_SIZE = 100


@dataclass(frozen=True, slots=True)
class SendingStatus:
    """The state of the providers and of the queue, for metrics."""

    provider_stats: Mapping[str, ProviderStats]
    lateness: Mapping[ChannelName, float]
    """Seconds that the most overdue message of each channel is late."""
    failed: Mapping[tuple[ChannelName, Trouble], int]


class DeliveryReports:
    """Polls the providers for delivery reports."""

    def __init__(self, database: Database, providers: Mapping[str, Provider]) -> None:
        self._database = database
        self._providers = providers

    async def poll_due(self) -> int:
        """Poll for a batch of due reports; return their number."""
        async with self._database.transaction() as session:
            due = await DeliveryReportStore(session).claim_due_polls(BATCH_SIZE)
        by_provider: dict[str, list[AwaitedReport]] = defaultdict(list)
        for each in due:
            by_provider[each.provider].append(each)
        for name, awaited in by_provider.items():
            await self._poll(name, awaited)
        return len(due)

    async def _poll(self, name: str, awaited: Sequence[AwaitedReport]) -> None:
        provider = self._providers.get(name)
        if provider is None:  # no longer configured; its messages fail when the report is overdue
            return
        try:
            found = await provider.fetch_reports([each.provider_reference for each in awaited])
        except ChannelUnavailableError as error:
            log.warning("provider returned no reports", provider=name, trouble=error.trouble)
            return
        async with self._database.transaction() as session:
            store = DeliveryReportStore(session)
            for each in awaited:
                delivery = found.get(each.provider_reference)
                if delivery is Delivery.UNKNOWN and each.overdue and provider.detects_repeats:
                    requeued = await store.requeue(each)
                    log.warning("message lost by provider", message_id=str(each.id), provider=name, requeued=requeued)
                elif delivery is not None:
                    await store.record_delivery(name, each.provider_reference, delivery)

    async def close_overdue(self) -> SendingStatus:
        """Fail messages that have no attempts or reports to come, and return the status after that."""
        async with self._database.transaction() as session:
            store = DeliveryReportStore(session)
            await store.close_overdue()
            return SendingStatus(
                await ClaimStore(await session.connection()).provider_stats(),
                await store.lateness(),
                await store.count_failed(),
            )
