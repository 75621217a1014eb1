"""A minimal expert system of one province: consumes all events, stores them, and can report."""

import asyncio
import json
import uuid
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import aio_pika
from aio_pika.abc import AbstractIncomingMessage
from aio_pika.connection import make_url
from aio_pika.exceptions import CONNECTION_EXCEPTIONS

from desk.chassis.event_encryption import EventDecryptor, EventEncryptor
from desk.testing.event_keys import event_key_pair
from desk.topology.table import office_queue

if TYPE_CHECKING:
    from support.background import BackgroundLoop

PAUSE_SECONDS = 0.5
BROKER_TIMEOUT_SECONDS = 5.0


class ProvinceSystem:
    """Consumes the queue of an office as its own user, and reconnects after every broker failure."""

    def __init__(
        self, loop: "BackgroundLoop", url: str, key: str, *, private_key: str | None = None, desk_key: str | None = None
    ) -> None:
        """``private_key`` reads events, ``desk_key`` is the desk's public one; by default those of the tests."""
        self.key = key
        self._decryptor = EventDecryptor([private_key or event_key_pair(key)[0]])
        self._encryptor = EventEncryptor({"tracking": desk_key or event_key_pair("tracking")[1]})
        self.deliveries: Counter[str] = Counter()
        """Number of deliveries by event id."""
        self.events: dict[str, dict[str, Any]] = {}
        """Envelopes with decrypted data by event id; a second delivery changes nothing."""
        self.refuses = False
        """Whether it refuses every event, as a system with a mistake in it does."""
        self._loop, self._url = loop, url
        self._stopping = asyncio.Event()
        self._task = loop.run(self._begin())

    def forget(self) -> None:
        self.deliveries.clear()
        self.events.clear()
        self.refuses = False

    def of(self, code: str, name: str = "request-submitted") -> list[dict[str, Any]]:
        """Return the events of one kind about a request."""
        kind = f"ir.haj.desk.{name}.v1"
        return [each for each in list(self.events.values()) if each["type"] == kind and each["subject"] == code]

    def report(self, code: str, name: str, seq: int, *, event_id: str | None = None, **data: object) -> str:
        """Report something about a request; return the event's id."""
        event_id = event_id or str(uuid.uuid4())
        envelope = self.envelope(code, name, seq, event_id=event_id, **data)
        self.send(json.dumps(envelope).encode(), name, event_id)
        return event_id

    def envelope(self, code: str, name: str, seq: int, *, event_id: str, **data: object) -> dict[str, Any]:
        """Return a report as :meth:`report` sends it."""
        now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        return {
            "specversion": "1.0",
            "id": event_id,
            "source": f"/office/{self.key}",
            "type": f"ir.haj.desk.{name}.v1",
            "subject": code,
            "time": now,
            "seq": seq,
            "datacontenttype": "application/jose+json",
            "data": self.encrypted({"tracking_code": code, "at": now, **data}, event_id),
        }

    def encrypted(self, data: dict[str, object], event_id: str) -> dict[str, Any]:
        """Return the data of a report, encrypted for the desk."""
        return self._encryptor.encrypt(json.dumps(data).encode(), event_id, ["tracking"])

    def send(
        self, body: bytes, name: str, event_id: str, headers: Mapping[str, str] | None = None, *, named: bool = True
    ) -> None:
        """Publish any bytes as the province, with ``event_id`` as ``message_id``; ``named`` is with its ``user_id``."""

        async def publish() -> None:
            connection = await aio_pika.connect(self._url, timeout=10)
            async with connection:
                channel = await connection.channel(publisher_confirms=True, on_return_raises=True)
                message = aio_pika.Message(
                    body,
                    content_type="application/cloudevents+json",
                    delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
                    message_id=event_id,
                    type=f"ir.haj.desk.{name}.v1",
                    user_id=office_queue(self.key) if named else None,
                    headers=dict(headers or {}),
                )
                exchange = await channel.get_exchange("desk.cases", ensure=False)
                await exchange.publish(message, f"{name}.{self.key}", mandatory=True, timeout=20)

        self._loop.run(publish())

    def close(self) -> None:
        async def end() -> None:
            self._stopping.set()
            await self._task

        self._loop.run(end())

    async def _begin(self) -> asyncio.Task[None]:
        return asyncio.create_task(self._serve(), name=f"province {self.key}")

    async def _serve(self) -> None:
        while not self._stopping.is_set():
            try:
                await self._consume()
            except (*CONNECTION_EXCEPTIONS, TimeoutError, asyncio.CancelledError):
                if (task := asyncio.current_task()) is not None and task.cancelling():
                    raise
            await self._pause()

    async def _consume(self) -> None:
        # Close it even if it never connected: aio-pika warns when an open connection is collected.
        connection = aio_pika.Connection(make_url(self._url))
        try:
            async with asyncio.timeout(BROKER_TIMEOUT_SECONDS):
                await connection.connect()
                channel = await connection.channel()
                await channel.set_qos(50)
                queue = await channel.get_queue(office_queue(self.key))
                await queue.consume(self._take)
            while not (self._stopping.is_set() or channel.is_closed or not connection.connected.is_set()):
                await self._pause()
        finally:
            with suppress(*CONNECTION_EXCEPTIONS, TimeoutError):
                async with asyncio.timeout(BROKER_TIMEOUT_SECONDS):
                    await connection.close()

    async def _pause(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(PAUSE_SECONDS):
                await self._stopping.wait()

    async def _take(self, incoming: AbstractIncomingMessage) -> None:
        envelope = json.loads(incoming.body)
        envelope["data"] = json.loads(self._decryptor.decrypt(envelope["data"], envelope["id"]))
        if self.refuses:
            await incoming.reject(requeue=False)
            return
        self.deliveries[envelope["id"]] += 1
        self.events[envelope["id"]] = envelope
        await incoming.ack()
