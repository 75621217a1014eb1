"""One message from delivery to acknowledgement: handled, scheduled for a retry, or dead-lettered."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import aio_pika
import structlog
from aio_pika.abc import AbstractIncomingMessage
from prometheus_client import CollectorRegistry, Counter

from desk.chassis.bus.broker import BrokerUnavailableError, Consumer, ContractError, UnroutableError
from desk.chassis.bus.rabbit.connection import translate_broker_errors
from desk.chassis.bus.rabbit.layout import DEAD_EXCHANGE, DELAY_EXCHANGE, delay_key
from desk.chassis.bus.rabbit.pace import Pace
from desk.chassis.bus.rabbit.publisher import Publisher, RefusedError
from desk.chassis.bus.rabbit.wire import (
    DIED_OF,
    REASON_LENGTH,
    DeliveryHistory,
    delivery_history,
    from_wire,
    republished,
)
from desk.chassis.events import Message
from desk.chassis.tracing import Tracing, mark_failed

log = structlog.get_logger(__name__)

MAX_BODY_BYTES = 1024 * 1024
ACK_SECONDS = 5.0
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 5.0


class BusMetrics:
    """Metrics of retries, dead letters and connections."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.retries = Counter("desk_event_retries", "Events scheduled for a retry", ["queue"], registry=registry)
        self.dead = Counter("desk_dead_letters", "Events dead-lettered", ["queue"], registry=registry)
        self.throttled = Counter(
            "desk_events_throttled",
            "Events that waited because their queue is over its pace",
            ["queue"],
            registry=registry,
        )
        self.connects = Counter("desk_broker_connects", "Connections made to the broker", ["link"], registry=registry)


@dataclass(slots=True)
class MessageHandler:
    """Calls the consumer for one queue's messages and acknowledges each to the broker."""

    queue: str
    consumer: Consumer
    publisher: Publisher
    user: str | None
    retry_delays: Sequence[timedelta]
    metrics: BusMetrics
    pace: Pace | None = None
    """How fast the queue is consumed, if its messages come from outside."""
    tracing: Tracing | None = None
    stuck: int = 0
    """Messages that can currently be neither scheduled for a retry nor dead-lettered."""

    def __post_init__(self) -> None:
        """Let the counters of the queue begin at 0: Prometheus sees no increase in a series that begins at 1."""
        for counter in (self.metrics.retries, self.metrics.dead, self.metrics.throttled):
            counter.labels(self.queue)

    async def handle(self, incoming: AbstractIncomingMessage, can_acknowledge: Callable[[], bool]) -> None:
        """Handle a message and acknowledge it, while ``can_acknowledge`` returns True."""
        if self.pace is not None and await self.pace.wait_for_turn():
            self.metrics.throttled.labels(self.queue).inc()
        if len(incoming.body) > MAX_BODY_BYTES:
            await self._reject(incoming)
        elif await self._process(incoming, can_acknowledge):
            await self._acknowledge(incoming.ack)

    async def _process(self, incoming: AbstractIncomingMessage, can_acknowledge: Callable[[], bool]) -> bool:
        history = delivery_history(incoming)
        last_attempt = history.failures >= len(self.retry_delays)
        message = replace(from_wire(incoming, history), last_attempt=last_attempt, failures=history.failures)
        if self.tracing is None:
            return await self._consume(incoming, message, history, can_acknowledge)
        with self.tracing.process(self.queue, message.id[:64], message.traceparent):
            return await self._consume(incoming, message, history, can_acknowledge)

    async def _consume(
        self,
        incoming: AbstractIncomingMessage,
        message: Message,
        history: DeliveryHistory,
        can_acknowledge: Callable[[], bool],
    ) -> bool:
        names = {"queue": self.queue, "event_id": message.id[:64], "type": message.type[:96]}
        try:
            await self.consumer(message)
        except ContractError as error:
            mark_failed(error)
            log.warning("event dead-lettered", reason=str(error), **names)
            return await self._dead_letter(incoming, history, str(error), can_acknowledge)
        except Exception as error:  # the top of one event's handling: after any error the event is retried
            mark_failed(error)
            if not message.last_attempt:
                log.exception("event not handled, will be retried", attempts=history.failures + 1, **names)
                return await self._schedule_retry(incoming, history, can_acknowledge)
            log.exception("event dead-lettered, all attempts failed", **names)
            return await self._dead_letter(incoming, history, type(error).__name__, can_acknowledge)
        return True

    async def _schedule_retry(
        self, incoming: AbstractIncomingMessage, history: DeliveryHistory, can_acknowledge: Callable[[], bool]
    ) -> bool:
        key = delay_key(self.retry_delays[history.failures], self.queue)
        failed = replace(history, failures=history.failures + 1)
        copy = republished(incoming, failed.headers(), self.user)
        moved = await self._publish_copy(copy, DELAY_EXCHANGE, key, can_acknowledge)
        if moved:
            self.metrics.retries.labels(self.queue).inc()
        return moved

    async def _dead_letter(
        self,
        incoming: AbstractIncomingMessage,
        history: DeliveryHistory,
        reason: str,
        can_acknowledge: Callable[[], bool],
    ) -> bool:
        headers = history.headers() | {DIED_OF: reason[:REASON_LENGTH]}
        copy = republished(incoming, headers, self.user)
        try:
            await self.publisher.publish(copy, DEAD_EXCHANGE, self.queue)
        except RefusedError as error:
            # Its dead letters are full. The broker keeps the message and dead-letters it as soon as there is room.
            log.error("event left to the broker to dead-letter", queue=self.queue, reason=str(error))  # noqa: TRY400 - the reason is enough
            await self._acknowledge(incoming.reject)
            self.metrics.dead.labels(self.queue).inc()
            return False
        except (UnroutableError, BrokerUnavailableError):
            if not await self._publish_copy(copy, DEAD_EXCHANGE, self.queue, can_acknowledge):
                return False
        self.metrics.dead.labels(self.queue).inc()
        return True

    async def _publish_copy(
        self, copy: aio_pika.Message, exchange: str, key: str, can_acknowledge: Callable[[], bool]
    ) -> bool:
        """Publish with a confirm. The original is acknowledged afterwards, so a crash can only duplicate the message.

        While publishing fails the message stays unacknowledged and occupies its place in the prefetch. Return False
        once it can no longer be acknowledged: the broker delivers it again.
        """
        pause = 0.0
        try:
            while True:
                try:
                    await self.publisher.publish(copy, exchange, key)
                except (UnroutableError, BrokerUnavailableError) as error:
                    if not pause:
                        self.stuck += 1
                        reason = str(error)
                        log.error("event cannot be republished", queue=self.queue, to=exchange, reason=reason)  # noqa: TRY400 - the reason is enough
                else:
                    return True
                if not can_acknowledge():
                    return False
                pause = min(pause * 2 or FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS)
                await asyncio.sleep(pause)
        finally:
            if pause:
                self.stuck -= 1

    async def _reject(self, incoming: AbstractIncomingMessage) -> None:
        # The broker dead-letters it, so that a large body is not sent back to it.
        log.warning("event dead-lettered", reason="too large", bytes=len(incoming.body), queue=self.queue)
        await self._acknowledge(incoming.reject)
        self.metrics.dead.labels(self.queue).inc()

    async def _acknowledge(self, respond: Callable[[], Awaitable[None]]) -> None:
        try:
            with translate_broker_errors():
                async with asyncio.timeout(ACK_SECONDS):
                    await respond()
        except BrokerUnavailableError as error:
            log.info("event not acknowledged, it will be delivered again", queue=self.queue, reason=str(error))
