"""The sending side: takes unsent rows from the outbox and publishes them, marking them only once confirmed."""

import asyncio
import time

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from desk.chassis.bus.broker import Broker, BrokerDownError, UnroutableError
from desk.chassis.db import Database
from desk.chassis.events import Message, Outbox
from desk.chassis.telemetry import Telemetry

log = structlog.get_logger(__name__)

BATCH = 100
POLL_SECONDS = 0.5
GATHER_SECONDS = 0.02
"""How long the relay lets events gather after a hint: a batch of a few costs hardly more than a batch of one."""
PUBLISH_TIMEOUT_SECONDS = 5.0
MEASURE_SECONDS = 5.0
"""How often the backlog is counted."""


class Relay:
    """Publishes one service's outbox. Any number may run at once: each takes rows that no other holds."""

    def __init__(self, database: Database, outbox: Outbox, broker: Broker, telemetry: Telemetry) -> None:
        self._database = database
        self._outbox = outbox
        self._broker = broker
        self._telemetry = telemetry
        self._hint = asyncio.Event()
        self._finishing = False
        self._measure_after = 0.0

    def wake(self) -> None:
        """Hint that there is something to send; without it the relay looks twice a second anyway."""
        self._hint.set()

    def finish(self) -> None:
        """End after the batch that is under way."""
        self._finishing = True
        self._hint.set()

    async def run(self) -> None:
        """Send until :meth:`finish`; errors of the store end the call, and the caller starts it again."""
        while not self._finishing:
            self._hint.clear()
            sent = await self.send_batch()
            if sent < BATCH and not self._finishing:
                await self._wait()

    async def send_batch(self) -> int:
        """Publish up to 100 events, confirmations awaited together; return how many were confirmed."""
        async with self._database.transaction() as session:
            messages = await self._outbox.claim(session, BATCH)
            if messages:
                outcomes = await asyncio.gather(*(self._publish(message) for message in messages))
                sent = [message.id for message, confirmed in zip(messages, outcomes, strict=True) if confirmed]
                unsent = [message.id for message, confirmed in zip(messages, outcomes, strict=True) if not confirmed]
                if sent:
                    await self._outbox.mark_sent(session, sent)
                if unsent:
                    await self._outbox.put_off(session, unsent)
            else:
                sent = []
            await self._measure(session)
        return len(sent)

    async def _measure(self, session: AsyncSession) -> None:
        if time.monotonic() < self._measure_after:
            return
        self._measure_after = time.monotonic() + MEASURE_SECONDS
        count, age = await self._outbox.backlog(session)
        self._telemetry.outbox_unsent.set(count)
        self._telemetry.outbox_oldest.set(age)

    async def _publish(self, message: Message) -> bool:
        try:
            async with asyncio.timeout(PUBLISH_TIMEOUT_SECONDS):
                await self._broker.publish(message)
        except (UnroutableError, BrokerDownError, TimeoutError) as error:
            log.warning("event not published", event_id=message.id, type=message.type, error=type(error).__name__)
        except Exception:  # the top of one event's sending: whatever it was, the others are sent and marked
            log.exception("event not published", event_id=message.id, type=message.type)
        else:
            self._telemetry.events.labels(message.type, "published").inc()
            return True
        self._telemetry.events.labels(message.type, "unsent").inc()
        return False

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(POLL_SECONDS):
                await self._hint.wait()
                await asyncio.sleep(GATHER_SECONDS)
        except TimeoutError:
            return
