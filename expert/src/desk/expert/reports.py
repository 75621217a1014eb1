"""Sends an office's reports to the desk, on a connection of their own."""

import asyncio
import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractConnection
from aio_pika.connection import make_url

from desk.expert import encryption
from desk.expert.broker_errors import BROKER_ERRORS, REFUSALS, refusal
from desk.expert.encryption import DeskKeys, Key
from desk.expert.errors import BrokerUnavailableError
from desk.expert.events import TYPE_PREFIX, TYPE_SUFFIX
from desk.expert.report_data import check_data, check_envelope

CASES, CONTENT_TYPE = "desk.cases", "application/cloudevents+json"
TRACEPARENT = "traceparent"
"""The header of W3C's trace context."""
HEARTBEAT_SECONDS, CONNECT_SECONDS, CONFIRM_SECONDS = 10, 5.0, 5.0
HEADQUARTERS = "headquarters"
"""The key of headquarters, and the name of its queue and user."""
REPORT_ATTEMPTS = 5
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 5.0


def queue_of(office: str) -> str:
    """Return the name of an office's queue, which is also its user at the broker."""
    return office if office == HEADQUARTERS else f"province.{office}"


@dataclass(frozen=True, slots=True)
class Report:
    """A report of an office on a case. ``seq`` numbers the case's reports from one; ``at`` is when it happened.

    A report that is sent again with the same ``id`` and ``seq`` counts once. Raises InvalidReportError if it breaks the
    contract: an unknown name, a missing field, a text that is too long, a time without a zone.
    """

    id: str
    name: str
    tracking_code: str
    seq: int
    data: dict[str, Any]
    at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __post_init__(self) -> None:
        check_envelope(id=self.id, tracking_code=self.tracking_code, seq=self.seq, at=self.at)
        check_data(self.name, self.data)

    @property
    def type(self) -> str:
        """Its CloudEvents type."""
        return f"{TYPE_PREFIX}{self.name}{TYPE_SUFFIX}"

    def body(self, province: str, keys: Sequence[Key]) -> bytes:
        """Return the body of the event that the desk reads, encrypted for ``keys``, which are the desk's."""
        at = self.at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        data = {"tracking_code": self.tracking_code, "at": at, **self.data}
        envelope = {
            "specversion": "1.0",
            "id": self.id,
            "source": f"/office/{province}",
            "type": self.type,
            "subject": self.tracking_code,
            "time": at,
            "seq": self.seq,
            "datacontenttype": encryption.CONTENT_TYPE,
            "data": encryption.encrypt(json.dumps(data, ensure_ascii=False).encode(), self.id, keys),
        }
        return json.dumps(envelope, ensure_ascii=False).encode()


class Reports:
    """Sends reports; connects when the first one is sent."""

    def __init__(self, url: str, province: str, desk_keys: DeskKeys) -> None:
        """``url`` is ``amqps://province.<key>:password@host/vhost``; ``province`` the key, or ``headquarters``."""
        self._url = make_url(url, heartbeat=HEARTBEAT_SECONDS)
        self._province = province
        self._desk_keys = desk_keys
        self._connection: AbstractConnection | None = None
        self._channel: AbstractChannel | None = None
        self._lock = asyncio.Lock()

    async def send(self, report: Report, traceparent: str | None = None) -> None:
        """Send a report; return once the broker has confirmed it. ``traceparent`` is the trace that it continues.

        Raises BrokerUnavailableError after five attempts, BrokerRefusedError at once, or DeskKeysUnavailableError.
        """
        message = aio_pika.Message(
            report.body(self._province, await self._desk_keys.current()),
            headers={TRACEPARENT: traceparent} if traceparent is not None else None,
            content_type=CONTENT_TYPE,
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
            message_id=report.id,
            type=report.type,
            timestamp=datetime.now(UTC),
            user_id=self._url.user,
        )
        key = f"{report.name}.{self._province}"
        pause, fault = FIRST_PAUSE_SECONDS, "no connection"
        for _ in range(REPORT_ATTEMPTS):
            try:
                async with asyncio.timeout(CONNECT_SECONDS + CONFIRM_SECONDS), self._lock:
                    exchange = await (await self._open_channel()).get_exchange(CASES, ensure=False)
                    await exchange.publish(message, key, mandatory=True, timeout=CONFIRM_SECONDS)
            except REFUSALS as error:
                raise refusal(error, self._url, self._province) from error
            except BROKER_ERRORS as error:
                fault = type(error).__name__
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
            else:
                return
        raise BrokerUnavailableError(f"{key} was not confirmed: {fault}")

    async def close(self) -> None:
        """Close the connection."""
        connection, self._connection, self._channel = self._connection, None, None
        if connection is not None:
            with suppress(*BROKER_ERRORS):
                async with asyncio.timeout(CONNECT_SECONDS):
                    await connection.close()

    async def _open_channel(self) -> AbstractChannel:
        if self._connection is None or not self._connection.connected.is_set():
            await self.close()
            connection = aio_pika.Connection(self._url)
            try:
                await connection.connect()
            except BaseException:
                await connection.close()
                raise
            self._connection = connection
        if self._channel is None or self._channel.is_closed:
            self._channel = self._connection.channel(publisher_confirms=True, on_return_raises=True)
            await self._channel.initialize()
        return self._channel
