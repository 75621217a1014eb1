"""Publishes with confirms: an event counts as sent only when the broker has stored it in every bound queue."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aio_pika
from aio_pika.abc import AbstractChannel
from aio_pika.exceptions import DeliveryError, PublishError
from prometheus_client import Counter

from desk.chassis.bus.broker import BrokerUnavailableError, UnroutableError
from desk.chassis.bus.rabbit.connection import (
    ChannelConnection,
    Outage,
    open_channel,
    open_connection,
    translate_broker_errors,
)

PUBLISH_SECONDS = 5.0


class RefusedError(BrokerUnavailableError):
    """The broker has refused the message, because a queue is full; an immediate retry would be refused too."""


class Publisher:
    """One connection for publishing, opened when first needed and reopened after a fault."""

    def __init__(self, url: str, reconnects: Counter) -> None:
        self._url = url
        self._reconnects = reconnects
        self._connection: ChannelConnection | None = None
        self._opening = asyncio.Lock()
        self._one_by_one = asyncio.Lock()
        self._outage = Outage("broker for publishing")
        self._in_flight: dict[str | None, asyncio.Event] = {}
        self._closing: set[asyncio.Task[None]] = set()

    async def publish(self, message: aio_pika.Message, exchange: str, routing_key: str) -> None:
        """Return once confirmed, within 5 s. Raises UnroutableError or BrokerUnavailableError."""
        with translate_broker_errors():
            async with asyncio.timeout(PUBLISH_SECONDS), self._one_per_id(message.message_id):
                connection = await self._open()
                try:
                    with translate_broker_errors():
                        await self._send(connection, connection.channel, message, exchange, routing_key)
                except RefusedError:
                    raise
                except BrokerUnavailableError:
                    await self._send_alone(message, exchange, routing_key)

    async def _send_alone(self, message: aio_pika.Message, exchange: str, routing_key: str) -> None:
        # An event without an exchange or permission closes the channel for all events in flight on it, and since the
        # driver continues to write to that channel, the connection too. Each is retried once, one after the other and
        # on a channel of its own, so that only the faulty one fails.
        async with self._one_by_one:
            connection = await self._open()
            channel = await open_channel(connection.connection, confirms=True)
            try:
                await self._send(connection, channel, message, exchange, routing_key)
            finally:
                await channel.close()

    async def close(self) -> None:
        """Close the connection; publishes in flight fail."""
        if self._connection is not None:
            self._drop(self._connection)
        await asyncio.gather(*self._closing)

    @asynccontextmanager
    async def _one_per_id(self, message_id: str | None) -> AsyncIterator[None]:
        # The driver matches returns by message id: of two in flight with one id, an unroutable one may look confirmed.
        while (other := self._in_flight.get(message_id)) is not None:
            await other.wait()
        done = self._in_flight[message_id] = asyncio.Event()
        try:
            yield
        finally:
            del self._in_flight[message_id]
            done.set()

    async def _open(self) -> ChannelConnection:
        async with self._opening:
            if self._connection is not None and not self._connection.usable:
                self._drop(self._connection)
            if self._connection is None:
                self._connection = await self._connect()
            return self._connection

    async def _connect(self) -> ChannelConnection:
        self._outage.require_retry_due()
        try:
            connection = await open_connection(self._url, confirms=True)
        except BrokerUnavailableError as error:
            self._outage.record_failure(str(error))
            raise
        self._outage.record_recovery()
        self._reconnects.labels("publish").inc()
        return connection

    async def _send(
        self,
        connection: ChannelConnection,
        channel: AbstractChannel,
        message: aio_pika.Message,
        exchange: str,
        routing_key: str,
    ) -> None:
        answered = False
        try:
            target = await channel.get_exchange(exchange, ensure=False)
            await target.publish(message, routing_key, mandatory=True)
            answered = True
        except PublishError:
            answered = True
            raise UnroutableError(f"{exchange} has no queue for {routing_key}") from None
        except DeliveryError:
            answered = True
            raise RefusedError(
                f"{exchange} does not accept {routing_key}: a queue is full or without a leader"
            ) from None
        finally:
            if not answered:
                # A blocked or half-open connection never confirms, a late confirm must not be matched with the next
                # attempt of the same event, and after an error in one channel the connection may be about to close.
                self._drop(connection)

    def _drop(self, connection: ChannelConnection) -> None:
        if self._connection is connection:
            self._connection = None
            task = asyncio.create_task(connection.close(), name="close the publisher's connection")
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)
