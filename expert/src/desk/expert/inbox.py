"""A province's queue: cases in, one after the other, and reports out; connected again whenever the broker is back."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractIncomingMessage
from aio_pika.connection import make_url
from aio_pika.exceptions import CONNECTION_EXCEPTIONS, AMQPError
from pydantic import ValidationError

from desk.expert.case import Case
from desk.expert.errors import BrokerAwayError
from desk.expert.events import (
    HEARD,
    REFUSED,
    REPLIED,
    TYPE_PREFIX,
    TYPE_SUFFIX,
    WITH_REQUEST,
    Envelope,
    Refusal,
    Reply,
    Request,
)
from desk.expert.files import Files
from desk.expert.memory import Memory

log = logging.getLogger(__name__)

CASES, CONTENT_TYPE = "desk.cases", "application/cloudevents+json"
HEARTBEAT_SECONDS, CONNECT_SECONDS, CONFIRM_SECONDS = 10, 5.0, 5.0
REPORT_TRIES = 5
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 5.0
_FAULTS = (*CONNECTION_EXCEPTIONS, AMQPError, TimeoutError)


class Inbox:
    """Use it as ``async with Inbox(...) as inbox: async for case in inbox: ...``.

    Whoever asks for the next case has handled the one before: it is remembered and acknowledged. An error that leaves
    the ``async with`` gives the case back, and it comes again. What was handled before is not handed out a second time.
    """

    def __init__(self, url: str, province: str, memory: Memory, *, files: Files | None = None) -> None:
        """``url`` is ``amqps://province.<key>:password@host/vhost``; ``province`` the key."""
        self._url = make_url(url, heartbeat=HEARTBEAT_SECONDS)
        self._province = province
        self._memory = memory
        self._files = files
        self._connection: AbstractConnection | None = None
        self._reports: AbstractChannel | None = None
        self._waiting: asyncio.Queue[AbstractIncomingMessage | None] = asyncio.Queue()
        self._current: tuple[Case, AbstractIncomingMessage] | None = None

    async def __aenter__(self) -> Self:
        """Connect. Raises BrokerAwayError: whatever is wrong at the start is better known at once."""
        try:
            await self._connect()
        except _FAULTS as error:
            raise BrokerAwayError(type(error).__name__) from error
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Acknowledge the last case, or give it back if handling it broke off."""
        try:
            if kind is None:
                await self._finish()
            elif self._current is not None:
                with suppress(*_FAULTS):
                    await self._current[1].reject(requeue=True)
        finally:
            self._current = None
            await self._disconnect()
            if self._files is not None:
                await self._files.close()

    def __aiter__(self) -> AsyncIterator[Case]:
        """Hand out cases for ever."""
        return self

    async def __anext__(self) -> Case:
        """Finish the case before, and wait for the next."""
        await self._finish()
        while True:
            message = await self._waiting.get()
            if message is None:
                await self._connect_again()
                continue
            case = await self._read(message)
            if case is not None:
                self._current = (case, message)
                return case

    async def _read(self, message: AbstractIncomingMessage) -> Case | None:
        """Give the case of a message; None, and be done with it, if there is nothing to handle."""
        try:
            envelope = Envelope.model_validate_json(message.body)
            kind = envelope.name
            request = Request.model_validate(envelope.data) if kind in WITH_REQUEST else None
            refusal = Refusal.model_validate(envelope.data) if kind == REFUSED else None
            reply = Reply.model_validate(envelope.data) if kind == REPLIED else None
        except ValidationError as error:
            log.error("an event that cannot be read goes to the dead letters: %d faults", error.error_count())  # noqa: TRY400 - its text may be personal
            await self._settle(message, handled=False)
            return None
        if kind not in HEARD or await self._memory.handled(envelope.id):
            await self._settle(message, handled=True)
            return None
        return Case(
            envelope.id,
            kind,
            envelope.subject,
            envelope.data,
            request,
            refusal,
            self._report,
            self._files,
            reply=reply,
        )

    async def _finish(self) -> None:
        if self._current is not None:
            case, message = self._current
            await self._memory.remember(case.event_id)
            self._current = None
            await self._settle(message, handled=True)

    async def _settle(self, message: AbstractIncomingMessage, *, handled: bool) -> None:
        try:
            await (message.ack() if handled else message.reject(requeue=False))
        except _FAULTS as error:  # it comes again, and is known by its id
            log.warning("a case could not be acknowledged: %s", type(error).__name__)

    async def _report(self, name: str, report_id: str, tracking_code: str, data: dict[str, Any]) -> None:
        now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        envelope = {
            "specversion": "1.0",
            "id": report_id,
            "source": f"/province/{self._province}",
            "type": f"{TYPE_PREFIX}{name}{TYPE_SUFFIX}",
            "subject": tracking_code,
            "time": now,
            "seq": await self._memory.number(tracking_code, report_id),
            "datacontenttype": "application/json",
            "data": {"tracking_code": tracking_code, "at": now, **data},
        }
        message = aio_pika.Message(
            json.dumps(envelope, ensure_ascii=False).encode(),
            content_type=CONTENT_TYPE,
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
            message_id=report_id,
            type=str(envelope["type"]),
            timestamp=datetime.now(UTC),
            user_id=self._url.user,
        )
        await self._publish(message, f"{name}.{self._province}")

    async def _publish(self, message: aio_pika.Message, key: str) -> None:
        pause, fault = FIRST_PAUSE_SECONDS, "no connection"
        for _ in range(REPORT_TRIES):
            try:
                async with asyncio.timeout(CONFIRM_SECONDS):
                    channel = await self._report_channel()
                    exchange = await channel.get_exchange(CASES, ensure=False)
                    await exchange.publish(message, key, mandatory=True)
            except _FAULTS as error:
                fault, self._reports = type(error).__name__, None
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
            else:
                return
        raise BrokerAwayError(f"{key} was not confirmed: {fault}")

    async def _report_channel(self) -> AbstractChannel:
        if self._connection is None or not self._connection.connected.is_set():
            await self._connect()
        if self._connection is not None and (self._reports is None or self._reports.is_closed):
            self._reports = self._connection.channel(publisher_confirms=True, on_return_raises=True)
            await self._reports.initialize()
        if self._reports is None:
            raise TimeoutError
        return self._reports

    async def _connect(self) -> None:
        await self._disconnect()
        waiting: asyncio.Queue[AbstractIncomingMessage | None] = asyncio.Queue()
        connection = aio_pika.Connection(self._url)
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await connection.connect()
                channel = connection.channel()
                await channel.initialize()
                await channel.set_qos(prefetch_count=1)
                channel.close_callbacks.add(lambda *_: waiting.put_nowait(None))
                queue = await channel.get_queue(f"province.{self._province}", ensure=False)
                await queue.consume(waiting.put)
        except BaseException:
            await connection.close()
            raise
        self._connection, self._waiting = connection, waiting

    async def _connect_again(self) -> None:
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                await self._connect()
            except _FAULTS as error:
                log.warning("the broker is away: %s", type(error).__name__)
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
            else:
                return

    async def _disconnect(self) -> None:
        connection, self._connection, self._reports = self._connection, None, None
        if connection is not None:
            with suppress(*_FAULTS):
                async with asyncio.timeout(CONNECT_SECONDS):
                    await connection.close()
