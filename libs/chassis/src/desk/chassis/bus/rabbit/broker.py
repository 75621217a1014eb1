"""The broker on RabbitMQ: publishes with confirms, consumes queues, reconnects after outages."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

from desk.chassis.bus.broker import RETRY_DELAYS, Consumer
from desk.chassis.bus.rabbit.connection import address, user_of
from desk.chassis.bus.rabbit.consumer import QueueConsumer
from desk.chassis.bus.rabbit.message_handler import BusMetrics, MessageHandler
from desk.chassis.bus.rabbit.pace import Pace
from desk.chassis.bus.rabbit.publisher import Publisher
from desk.chassis.bus.rabbit.wire import to_wire
from desk.chassis.events import Message
from desk.chassis.telemetry import Telemetry

PACED_PREFETCH = 2


class RabbitBroker:
    """A :class:`~desk.chassis.bus.Broker` on RabbitMQ. It connects when first used.

    It declares nothing: exchanges and queues are those of :mod:`desk.chassis.bus.rabbit.layout`.
    """

    def __init__(self, url: str, telemetry: Telemetry, *, retry_delays: Sequence[timedelta] = RETRY_DELAYS) -> None:
        """``url`` is ``amqp://user:password@host:port/vhost`` or ``amqps://…``; messages carry its user."""
        self._url = url
        self._service = telemetry.service
        self._tracing = telemetry.tracing
        self._user = user_of(url)
        self._retry_delays = retry_delays
        self._metrics = BusMetrics(telemetry.registry)
        self._publisher = Publisher(address(url, f"{self._service} publishes"), self._metrics.connects)
        self._consumers: list[QueueConsumer] = []
        self._handlers: list[MessageHandler] = []

    async def publish(self, message: Message) -> None:
        """Publish and wait at most 5 s for the confirm. Raises UnroutableError or BrokerUnavailableError."""
        await self._publisher.publish(to_wire(message, self._user), message.exchange, message.routing_key)

    async def consume(self, queue: str, consumer: Consumer) -> None:
        """Consume the queue from now on. While the broker is unavailable, connecting is retried."""
        handler = self._handler(queue, consumer)
        url = address(self._url, f"{self._service} reads {queue}")
        self._consumers.append(QueueConsumer(url, queue, {queue: handler.handle}, self._metrics.connects))

    async def consume_paced(self, queues: Sequence[str], consumer: Consumer, per_second: float) -> None:
        """Consume untrusted queues over one connection, each at most so fast, and few messages of each at a time."""
        handlers = {queue: self._handler(queue, consumer, Pace(queue, per_second)).handle for queue in queues}
        url = address(self._url, f"{self._service} reads {len(queues)} queues")
        name = f"{queues[0]} and others"
        self._consumers.append(QueueConsumer(url, name, handlers, self._metrics.connects, PACED_PREFETCH))

    def _handler(self, queue: str, consumer: Consumer, pace: Pace | None = None) -> MessageHandler:
        handler = MessageHandler(
            queue, consumer, self._publisher, self._user, self._retry_delays, self._metrics, pace, self._tracing
        )
        self._handlers.append(handler)
        return handler

    async def drain(self) -> None:
        """Consume no more messages and wait, at most 30 s, for running handlers."""
        await asyncio.gather(*(consumer.drain() for consumer in self._consumers))

    async def close(self) -> None:
        """Drain, then close all connections."""
        await self.drain()
        await self._publisher.close()

    def alive(self) -> bool:
        """Return whether every queue is consumed and no message is blocked between two queues."""
        return all(consumer.alive() for consumer in self._consumers) and not any(each.stuck for each in self._handlers)
