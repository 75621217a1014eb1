"""Takes the role of the desk at the broker: declares queues, publishes events, consumes the province's reports."""

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
CONNECT_SECONDS, CONFIRM_SECONDS = 10.0, 10.0
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

    def of(self, code: str) -> bool:
        """Return whether it is about a request."""
        return isinstance(self.envelope, dict) and self.envelope.get("subject") == code


class DeskSide:
    """The desk at the broker, for ``async with``; ``proxy`` records the actions of the consumer.

    Events are encrypted for the key of the consumer, and its reports are decrypted with the key of the kit.
    """

    def __init__(self, url: URL, contract: Contract, proxy: Proxy, keys: EventKeys) -> None:
        self._url, self._contract, self._proxy, self._keys = url, contract, proxy, keys
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
        """Close the connection; queue and exchanges stay, as the desk leaves them."""
        await self._stack.aclose()

    async def _declared(self) -> AbstractQueue:
        for name in (EVENTS, CASES, DEAD):
            self._exchanges[name] = await self._channel.declare_exchange(name, "topic", durable=True)
        name = f"province.{self._contract.province}"
        queue = await self._declare(name, self._contract.queue)
        await self._declare(f"{name}.dead", self._contract.dead_queue)
        waiting, readers = queue.declaration_result.message_count, queue.declaration_result.consumer_count
        if readers:
            raise NotPossibleError(f"a consumer reads {name} already: stop it, or connect it to the address below")
        if waiting:
            raise NotPossibleError(f"{waiting} messages wait in {name}: let them be consumed first, or purge the queue")
        await self._listen(CASES, f"*.{self._contract.province}", self._on_report)
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
    ) -> None:
        own = await self._channel.declare_queue(exclusive=True)
        await own.bind(exchange, key)
        await own.consume(handle, no_ack=True)

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
        data, fault = self._keys.read_report(envelope)
        self.reports.append(Report(message.routing_key or "", properties, envelope, data, fault))
        await self._proxy.wake()

    async def _on_dead_letter(self, message: AbstractIncomingMessage) -> None:
        self.dead.append(message.message_id or "")
        await self._proxy.wake()

    async def publish(self, name: str, envelope: Envelope) -> str:
        """Publish an event as the desk does, encrypted for the consumer; return its id."""
        return await self.publish_sealed(name, self._keys.seal(envelope))

    async def publish_sealed(self, name: str, envelope: Envelope) -> str:
        """Publish an event that is encrypted already; return its id."""
        return await self.publish_bytes(name, json.dumps(envelope, ensure_ascii=False).encode(), envelope["id"])

    def seal(self, envelope: Envelope, *, event_id: str | None = None, foreign: bool = False) -> Envelope:
        """Return an event encrypted for the consumer, under the id of another event, or for a foreign key."""
        return self._keys.seal(envelope, event_id=event_id, foreign=foreign)

    async def publish_bytes(self, name: str, body: bytes, event_id: str) -> str:
        """Publish any bytes under an event's name; return the id."""
        message = aio_pika.Message(
            body,
            content_type=CONTENT_TYPE,
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
            message_id=event_id,
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

    async def purge(self) -> None:
        """Empty the queue after a check that did not pass."""
        await self._queue.purge()
