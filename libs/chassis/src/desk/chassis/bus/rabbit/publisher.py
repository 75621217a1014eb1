"""Publishes with confirms: an event counts as sent only when the broker has it safe in every queue it belongs to."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aio_pika
from aio_pika.abc import AbstractChannel
from aio_pika.exceptions import DeliveryError, PublishError
from prometheus_client import Counter

from desk.chassis.bus.broker import BrokerUnavailableError, UnroutableError
from desk.chassis.bus.rabbit.link import Link, Outage, broker_faults, open_channel, open_link

PUBLISH_SECONDS = 5.0


class _RefusedError(BrokerUnavailableError):
    """The broker's answer is no; to ask again at once would not change it."""


class Publisher:
    """One connection for publishing, opened when first needed and anew after a fault."""

    def __init__(self, url: str, reconnects: Counter) -> None:
        self._url = url
        self._reconnects = reconnects
        self._link: Link | None = None
        self._opening = asyncio.Lock()
        self._alone = asyncio.Lock()
        self._outage = Outage("broker for publishing")
        self._in_flight: dict[str | None, asyncio.Event] = {}
        self._closing: set[asyncio.Task[None]] = set()

    async def publish(self, message: aio_pika.Message, exchange: str, routing_key: str) -> None:
        """Return once confirmed, within 5 s. Raises UnroutableError or BrokerUnavailableError."""
        with broker_faults():
            async with asyncio.timeout(PUBLISH_SECONDS), self._one_per_id(message.message_id):
                link = await self._open()
                try:
                    with broker_faults():
                        await self._send(link, link.channel, message, exchange, routing_key)
                except _RefusedError:
                    raise
                except BrokerUnavailableError:
                    await self._send_alone(message, exchange, routing_key)

    async def _send_alone(self, message: aio_pika.Message, exchange: str, routing_key: str) -> None:
        # One event the broker has no exchange or no permission for closes the channel under all that are in flight
        # with it, and as the driver goes on writing to that channel, the connection too. Each is tried once more, one
        # after the other and on a channel of its own, so that only the guilty one fails.
        async with self._alone:
            link = await self._open()
            channel = await open_channel(link.connection, confirms=True)
            try:
                await self._send(link, channel, message, exchange, routing_key)
            finally:
                await channel.close()

    async def close(self) -> None:
        """Close the connection; what is in flight fails."""
        if self._link is not None:
            self._drop(self._link)
        await asyncio.gather(*self._closing)

    @asynccontextmanager
    async def _one_per_id(self, message_id: str | None) -> AsyncIterator[None]:
        # Returns are matched by message id: of two in flight with one id, an unroutable one may look confirmed.
        while (other := self._in_flight.get(message_id)) is not None:
            await other.wait()
        done = self._in_flight[message_id] = asyncio.Event()
        try:
            yield
        finally:
            del self._in_flight[message_id]
            done.set()

    async def _open(self) -> Link:
        async with self._opening:
            if self._link is not None and not self._link.usable:
                self._drop(self._link)
            if self._link is None:
                self._link = await self._connect()
            return self._link

    async def _connect(self) -> Link:
        self._outage.demand_pause_over()
        try:
            link = await open_link(self._url, confirms=True)
        except BrokerUnavailableError as error:
            self._outage.goes_on(str(error))
            raise
        self._outage.is_over()
        self._reconnects.labels("publish").inc()
        return link

    async def _send(
        self, link: Link, channel: AbstractChannel, message: aio_pika.Message, exchange: str, routing_key: str
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
            raise _RefusedError(
                f"{exchange} does not take {routing_key}: a queue is full or without a leader"
            ) from None
        finally:
            if not answered:
                # A blocked or half-open connection never answers, a late answer must not meet the same event on its
                # next try, and after an error in one channel the connection may be about to fall.
                self._drop(link)

    def _drop(self, link: Link) -> None:
        if self._link is link:
            self._link = None
            task = asyncio.create_task(link.close(), name="close the publisher's link")
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)
