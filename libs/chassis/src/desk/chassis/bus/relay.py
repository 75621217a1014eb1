"""The relay: publishes unsent rows of the outbox and marks them as sent once the broker has confirmed them."""

import asyncio
import time
from dataclasses import replace

import structlog

from desk.chassis.app.periodic import PeriodicTask
from desk.chassis.bus.broker import Broker, BrokerUnavailableError, UnroutableError
from desk.chassis.events import Message, Outbox
from desk.chassis.telemetry import Telemetry
from desk.chassis.tracing import current_traceparent, mark_failed
from desk.database import Database, DatabaseSession

log = structlog.get_logger(__name__)

BATCH = 100
POLL_SECONDS = 2.0
GATHER_SECONDS = 0.02
"""How long the relay waits after a wake-up for more events: a batch of a few costs little more than a batch of one."""
PUBLISH_TIMEOUT_SECONDS = 5.0
MEASURE_SECONDS = 5.0
"""How often the backlog is counted."""


class Relay(PeriodicTask):
    """Publishes one service's outbox. Any number may run at once: each claims rows that no other has claimed."""

    def __init__(self, database: Database, outbox: Outbox, broker: Broker, telemetry: Telemetry) -> None:
        super().__init__(self._send_due, POLL_SECONDS, gather=GATHER_SECONDS)
        self._database = database
        self._outbox = outbox
        self._broker = broker
        self._telemetry = telemetry
        self._measure_after = 0.0

    async def _send_due(self) -> float | None:
        return 0 if await self.send_batch() == BATCH else None

    async def send_batch(self) -> int:
        """Publish up to 100 events, await their confirms together, and return how many were confirmed."""
        async with self._database.transaction() as session:
            messages = await self._outbox.claim(session, BATCH)
            if messages:
                outcomes = await asyncio.gather(*(self._publish(message) for message in messages))
                sent = [message.id for message, confirmed in zip(messages, outcomes, strict=True) if confirmed]
                unsent = [message.id for message, confirmed in zip(messages, outcomes, strict=True) if not confirmed]
                if sent:
                    await self._outbox.mark_sent(session, sent)
                if unsent:
                    await self._outbox.schedule_retry(session, unsent)
            else:
                sent = []
            await self._measure(session)
        return len(sent)

    async def _measure(self, session: DatabaseSession) -> None:
        if time.monotonic() < self._measure_after:
            return
        self._measure_after = time.monotonic() + MEASURE_SECONDS
        count, age = await self._outbox.backlog(session)
        self._telemetry.outbox_unsent.set(count)
        self._telemetry.outbox_oldest.set(age)

    async def _publish(self, message: Message) -> bool:
        tracing = self._telemetry.tracing
        if tracing is None:
            return await self._publish_within_limit(message)
        with tracing.publish(message.type, message.id, message.traceparent):
            return await self._publish_within_limit(replace(message, traceparent=current_traceparent()))

    async def _publish_within_limit(self, message: Message) -> bool:
        try:
            async with asyncio.timeout(PUBLISH_TIMEOUT_SECONDS):
                await self._broker.publish(message)
        except (UnroutableError, BrokerUnavailableError, TimeoutError) as error:
            mark_failed(error)
            log.warning("event not published", event_id=message.id, type=message.type, error=type(error).__name__)
        except Exception as error:  # one event's failure must not keep the others from being published and marked
            mark_failed(error)
            log.exception("event not published", event_id=message.id, type=message.type)
        else:
            self._telemetry.events.labels(message.type, "published").inc()
            return True
        self._telemetry.events.labels(message.type, "unsent").inc()
        return False
