"""One message from its arrival to its acknowledgement: handled, put off, or set aside as a dead letter."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import aio_pika
import structlog
from aio_pika.abc import AbstractIncomingMessage
from prometheus_client import CollectorRegistry, Counter

from desk.chassis.bus.broker import BrokerUnavailableError, Consumer, ContractError, UnroutableError
from desk.chassis.bus.rabbit.layout import DEAD_EXCHANGE, DELAY_EXCHANGE, delay_key
from desk.chassis.bus.rabbit.link import broker_faults
from desk.chassis.bus.rabbit.publisher import Publisher
from desk.chassis.bus.rabbit.wire import DIED_OF, REASON_LENGTH, Journey, from_wire, journey_of, sent_on

log = structlog.get_logger(__name__)

MAX_BODY_BYTES = 1024 * 1024
ACK_SECONDS = 5.0
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 5.0


class BusMetrics:
    """What operators see of the broker's work."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.retries = Counter("desk_event_retries", "Events put off after a failure", ["queue"], registry=registry)
        self.dead = Counter("desk_dead_letters", "Events set aside as dead letters", ["queue"], registry=registry)
        self.connects = Counter("desk_broker_connects", "Connections made to the broker", ["link"], registry=registry)


@dataclass(slots=True)
class Handling:
    """Hands one queue's messages to its consumer and answers the broker for each."""

    queue: str
    consumer: Consumer
    publisher: Publisher
    user: str | None
    retry_delays: Sequence[timedelta]
    metrics: BusMetrics
    stuck: int = 0
    """Messages that can be neither put off nor set aside at the moment."""

    async def handle(self, incoming: AbstractIncomingMessage, served: Callable[[], bool]) -> None:
        """Handle a message and acknowledge it; while ``served`` is true its channel can still do so."""
        if len(incoming.body) > MAX_BODY_BYTES:
            await self._refuse(incoming)
        elif await self._done_with(incoming, served):
            await self._answer(incoming.ack)

    async def _done_with(self, incoming: AbstractIncomingMessage, served: Callable[[], bool]) -> bool:
        journey = journey_of(incoming)
        last_try = journey.failures >= len(self.retry_delays)
        message = replace(from_wire(incoming, journey), last_try=last_try)
        names = {"queue": self.queue, "event_id": message.id[:64], "type": message.type[:96]}
        try:
            await self.consumer(message)
        except ContractError as error:
            log.warning("event is a dead letter", reason=str(error), **names)
            return await self._bury(incoming, journey, str(error), served)
        except Exception as error:  # the top of one event's handling: whatever it was, the event comes again
            if not last_try:
                log.exception("event not handled, will be tried again", tries=journey.failures + 1, **names)
                return await self._put_off(incoming, journey, served)
            log.exception("event is a dead letter, all tries failed", **names)
            return await self._bury(incoming, journey, type(error).__name__, served)
        return True

    async def _put_off(self, incoming: AbstractIncomingMessage, journey: Journey, served: Callable[[], bool]) -> bool:
        key = delay_key(self.retry_delays[journey.failures], self.queue)
        failed = replace(journey, failures=journey.failures + 1)
        moved = await self._move(sent_on(incoming, failed.headers(), self.user), DELAY_EXCHANGE, key, served)
        if moved:
            self.metrics.retries.labels(self.queue).inc()
        return moved

    async def _bury(
        self, incoming: AbstractIncomingMessage, journey: Journey, reason: str, served: Callable[[], bool]
    ) -> bool:
        headers = journey.headers() | {DIED_OF: reason[:REASON_LENGTH]}
        moved = await self._move(sent_on(incoming, headers, self.user), DEAD_EXCHANGE, self.queue, served)
        if moved:
            self.metrics.dead.labels(self.queue).inc()
        return moved

    async def _move(self, sent: aio_pika.Message, exchange: str, key: str, served: Callable[[], bool]) -> bool:
        """Publish, with confirmation; only then may the original go, so that a crash doubles it and never loses it.

        While that fails the message is kept, and its place among the few that are at work with it. False once it can
        no longer be acknowledged: the broker has it, and gives it out again.
        """
        pause = 0.0
        try:
            while True:
                try:
                    await self.publisher.publish(sent, exchange, key)
                except (UnroutableError, BrokerUnavailableError) as error:
                    if not pause:
                        self.stuck += 1
                        reason = str(error)
                        log.error("event can go neither on nor back", queue=self.queue, to=exchange, reason=reason)  # noqa: TRY400 - the reason says it all
                else:
                    return True
                if not served():
                    return False
                pause = min(pause * 2 or FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS)
                await asyncio.sleep(pause)
        finally:
            if pause:
                self.stuck -= 1

    async def _refuse(self, incoming: AbstractIncomingMessage) -> None:
        # The broker moves it: a body of any size need not travel back to it.
        log.warning("event is a dead letter", reason="too large", bytes=len(incoming.body), queue=self.queue)
        await self._answer(incoming.reject)
        self.metrics.dead.labels(self.queue).inc()

    async def _answer(self, answer: Callable[[], Awaitable[None]]) -> None:
        try:
            with broker_faults():
                async with asyncio.timeout(ACK_SECONDS):
                    await answer()
        except BrokerUnavailableError as error:
            log.info("event not acknowledged, it will come again", queue=self.queue, reason=str(error))
