"""Takes the role of the desk at the broker: declares queues, publishes events, consumes the province's reports."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

import aio_pika
from aio_pika.abc import AbstractExchange, AbstractIncomingMessage, AbstractQueue
from aio_pika.exceptions import CONNECTION_EXCEPTIONS, AMQPError, ChannelClosed
from yarl import URL

from desk.expert_kit.contract import CASES, EVENTS, Contract, Envelope
from desk.expert_kit.errors import NotPossibleError
from desk.expert_kit.event_keys import EventKeys
from desk.expert_kit.proxy import Proxy

DEAD = "desk.dead"
APP_ID = "desk-expert check"
"""Marks the events of the kit, so that it removes no others."""
CONNECT_SECONDS, CONFIRM_SECONDS = 10.0, 10.0
RELEASE_POLLS, RELEASE_POLL_SECONDS = 100, 0.1
"""How often the broker is asked whether it has noticed that a consumer is disconnected."""
CONTENT_TYPE = "application/cloudevents+json"


@dataclass(frozen=True, slots=True)
class Report:
    """A report of the province, as the broker received it."""

    routing_key: str
    properties: dict[str, Any]
    envelope: Any
    """The parsed body; None if it is not JSON."""
    data: Any
    """The decrypted data; None if it cannot be decrypted."""
    fault: str
    """Why the data cannot be decrypted; empty if it can."""

    @property
    def name(self) -> str:
        """The event's name."""
        return self.routing_key.rpartition(".")[0]

    @property
    def id(self) -> str:
        """The report's id."""
        return str(self.envelope.get("id")) if isinstance(self.envelope, dict) else ""

    def of(self, code: str) -> bool:
        """Return whether it is about a request."""
        return isinstance(self.envelope, dict) and self.envelope.get("subject") == code


class DeskSide:
    """The desk at the broker, for ``async with``; ``proxy`` records the actions of the consumer.

    Events are encrypted for the key of the consumer, and its reports are decrypted with the key of the kit.
    """

    def __init__(self, url: URL, contract: Contract, proxy: Proxy, keys: EventKeys) -> None:
        self._url, self._contract, self._proxy, self.keys = url, contract, proxy, keys
        self._stack = AsyncExitStack()
        self._exchanges: dict[str, AbstractExchange] = {}
        self.reports: list[Report] = []
        self.dead: list[str] = []
        """Ids of the events that went to the dead letters."""

    async def __aenter__(self) -> Self:
        """Connect and declare. Raises NotPossibleError."""
        try:
            connection = await aio_pika.connect(self._url, timeout=CONNECT_SECONDS)
            await self._stack.enter_async_context(connection)
            self._channel = await connection.channel(publisher_confirms=True, on_return_raises=True)
            self._queue = await self._declared()
        except (*CONNECTION_EXCEPTIONS, AMQPError, TimeoutError) as error:
            await self._stack.aclose()
            place = f"{self._url.host}:{self._url.port or 5672}"
            raise NotPossibleError(f"the broker at {place}: {type(error).__name__}: {error}") from None
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the connection; queues and exchanges stay, as the desk leaves them."""
        await self._stack.aclose()

    async def _declared(self) -> AbstractQueue:
        for name in (EVENTS, CASES, DEAD):
            self._exchanges[name] = await self._channel.declare_exchange(name, "topic", durable=True)
        name = self._contract.queue_name
        queue = await self._declare(name, self._contract.queue)
        self._dead_queue = await self._declare(f"{name}.dead", self._contract.dead_queue)
        if queue.declaration_result.consumer_count:
            raise NotPossibleError(f"a consumer reads {name} already: stop it, or connect it to the address below")
        if waiting := await _remove_own(queue):
            raise NotPossibleError(f"{waiting} messages wait in {name}: let them be consumed first, or purge the queue")
        await _remove_own(self._dead_queue)
        self._reports_queue = await self._listen(CASES, self._report_key, self._on_report)
        await self._listen(DEAD, name, self._on_dead_letter)
        return queue

    async def _declare(self, name: str, layout: dict[str, Any]) -> AbstractQueue:
        try:
            queue = await self._channel.declare_queue(name, durable=True, arguments=layout["arguments"])
        except ChannelClosed as error:
            raise NotPossibleError(f"{name} is not declared as by the desk: {error}; delete it and try again") from None
        for binding in layout["bindings"]:
            await queue.bind(binding["exchange"], binding["routingKey"])
        return queue

    async def _listen(
        self, exchange: str, key: str, handle: Callable[[AbstractIncomingMessage], Awaitable[None]]
    ) -> AbstractQueue:
        own = await self._channel.declare_queue(exclusive=True)
        await own.bind(exchange, key)
        await own.consume(handle, no_ack=True)
        return own

    async def _on_report(self, message: AbstractIncomingMessage) -> None:
        try:
            envelope = json.loads(message.body)
        except ValueError:
            envelope = None
        present = {
            "content_type": message.content_type,
            "delivery_mode": int(message.delivery_mode) if message.delivery_mode else None,
            "message_id": message.message_id,
            "user_id": message.user_id,
            "type": message.type,
        }
        properties = {name: value for name, value in present.items() if value is not None}
        data, fault = self.keys.read_report(envelope)
        self.reports.append(Report(message.routing_key or "", properties, envelope, data, fault))
        await self._proxy.wake()

    async def _on_dead_letter(self, message: AbstractIncomingMessage) -> None:
        self.dead.append(message.message_id or "")
        await self._proxy.wake()

    async def publish(self, name: str, envelope: Envelope) -> str:
        """Publish an event as the desk does, encrypted for the consumer; return its id."""
        return await self.publish_sealed(name, self.keys.seal(envelope))

    async def publish_sealed(self, name: str, envelope: Envelope) -> str:
        """Publish an event that is encrypted already; return its id."""
        return await self.publish_bytes(name, json.dumps(envelope, ensure_ascii=False).encode(), envelope["id"])

    async def publish_bytes(self, name: str, body: bytes, event_id: str) -> str:
        """Publish any bytes under an event's name; return the id."""
        message = aio_pika.Message(
            body,
            content_type=CONTENT_TYPE,
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
            message_id=event_id,
            app_id=APP_ID,
            type=f"ir.haj.desk.{name}.v1",
            timestamp=datetime.now(UTC),
        )
        key = f"{name}.{self._contract.province}"
        await self._exchanges[EVENTS].publish(message, key, mandatory=True, timeout=CONFIRM_SECONDS)
        return event_id

    async def bind(self, name: str, *, bound: bool) -> None:
        """Bind the province's queue to an event that is not in the contract, or unbind it."""
        change = self._queue.bind if bound else self._queue.unbind
        await change(EVENTS, f"{name}.{self._contract.province}")

    async def take_reports(self, *, taken: bool) -> None:
        """Bind the queue for reports again, or unbind it: the broker then returns reports as unroutable."""
        change = self._reports_queue.bind if taken else self._reports_queue.unbind
        await change(CASES, self._report_key)

    async def purge(self) -> None:
        """Remove the kit's events from the queue and its dead letters, once no consumer reads the queue."""
        for _ in range(RELEASE_POLLS):
            if not await self._readers():
                break
            await asyncio.sleep(RELEASE_POLL_SECONDS)
        await _remove_own(self._queue)
        await _remove_own(self._dead_queue)

    async def _readers(self) -> int:
        found = await self._channel.declare_queue(self._queue.name, passive=True)
        return found.declaration_result.consumer_count or 0

    @property
    def _report_key(self) -> str:
        return f"*.{self._contract.province}"


async def _remove_own(queue: AbstractQueue) -> int:
    """Remove the kit's messages up to the first other one, which stays; return how many messages are left then."""
    while (message := await queue.get(fail=False)) is not None:
        if message.app_id != APP_ID:
            await message.nack(requeue=True)
            return 1 + (message.message_count or 0)
        await message.ack()
    return 0
