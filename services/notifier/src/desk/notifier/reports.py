"""What became of messages handed over: told by the providers, or asked of them."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence

import structlog
from prometheus_client import Gauge

from desk.chassis.crypto import Vault
from desk.database import Database
from desk.notifier.channels import ChannelDownError
from desk.notifier.domain import Delivery
from desk.notifier.providers import Provider
from desk.notifier.store import Awaited, MessageStore, ReportStore

log = structlog.get_logger(__name__)

EVERY_SECONDS = 15.0
AT_ONCE = 100


class Reports:
    """Asks for the reports that are due, and counts how the providers do."""

    def __init__(
        self,
        database: Database,
        vault: Vault,
        providers: Mapping[str, Provider],
        *,
        trust: Gauge,
        oldest: Gauge,
        given_up: Gauge,
    ) -> None:
        """``trust`` shows what part of its weight each provider keeps, ``oldest`` how late the next message is."""
        self._database = database
        self._vault = vault
        self._providers = providers
        self._trust = trust
        self._oldest = oldest
        self._given_up = given_up
        self._finishing = asyncio.Event()

    def finish(self) -> None:
        """End after the round that is under way."""
        self._finishing.set()

    async def run(self) -> None:
        """Ask until :meth:`finish`."""
        while not self._finishing.is_set():
            while await self.ask_due() == AT_ONCE and not self._finishing.is_set():
                continue
            await self.look()
            try:
                async with asyncio.timeout(EVERY_SECONDS):
                    await self._finishing.wait()
            except TimeoutError:
                continue

    async def ask_due(self) -> int:
        """Ask the providers about the messages whose turn it is; return how many those are."""
        async with self._database.transaction() as session:
            due = await ReportStore(session).await_reports(AT_ONCE)
        by_provider: dict[str, list[Awaited]] = defaultdict(list)
        for each in due:
            by_provider[each.provider].append(each)
        for name, awaited in by_provider.items():
            await self._ask(name, awaited)
        return len(due)

    async def _ask(self, name: str, awaited: Sequence[Awaited]) -> None:
        provider = self._providers.get(name)
        if provider is None:  # no longer among the settings; its messages end when nobody has reported for long
            return
        try:
            found = await provider.ask([each.provider_reference for each in awaited])
        except ChannelDownError as error:
            log.warning("provider gave no reports", provider=name, trouble=error.trouble)
            return
        async with self._database.transaction() as session:
            store = ReportStore(session)
            for each in awaited:
                delivery = found.get(each.provider_reference)
                if delivery is Delivery.UNKNOWN and each.overdue and provider.knows_references:
                    again = await store.redrive(each)
                    log.warning("message lost by its provider", message_id=str(each.id), provider=name, again=again)
                elif delivery is not None:
                    await store.record_delivery(name, each.provider_reference, delivery)

    async def look(self) -> None:
        """Settle what is over, and show how the providers and the queue stand."""
        async with self._database.transaction() as session:
            store = ReportStore(session)
            await store.settle()
            records = await MessageStore(session, self._vault).records()
            late = await store.latest_due()
            given_up = await store.given_up()
        self._given_up.clear()
        for (channel, trouble), count in given_up.items():
            self._given_up.labels(channel, trouble).set(count)
        for name in self._providers:
            self._trust.labels(name).set(records[name].trust if name in records else 1.0)
        for channel, seconds in late.items():
            self._oldest.labels(channel).set(seconds)
