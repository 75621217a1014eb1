"""Consumes an office's queue, one case at a time, and reconnects after an outage of the broker."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

import aio_pika
from aio_pika.abc import AbstractConnection, AbstractIncomingMessage
from aio_pika.connection import make_url
from pydantic import ValidationError

from desk.expert.broker_errors import BROKER_ERRORS, REFUSALS, refusal
from desk.expert.case import Case
from desk.expert.encryption import DeskKeys, PrivateKeys
from desk.expert.errors import BrokerUnavailableError, DecryptionError
from desk.expert.events import CONSUMED, read
from desk.expert.files import Files
from desk.expert.memory import Memory
from desk.expert.reports import (
    CONNECT_SECONDS,
    FIRST_PAUSE_SECONDS,
    HEARTBEAT_SECONDS,
    LONGEST_PAUSE_SECONDS,
    TRACEPARENT,
    Report,
    Reports,
    queue_of,
)

log = logging.getLogger(__name__)


class Inbox:
    """Use it as ``async with Inbox(...) as inbox: async for case in inbox: ...``.

    Asking for the next case acknowledges the previous one and records it as handled. If an error leaves ``async with``,
    the case returns to the queue and is delivered again. Handled events are skipped.
    """

    def __init__(
        self,
        url: str,
        province: str,
        memory: Memory,
        *,
        private_keys: Sequence[str],
        desk_keys: DeskKeys,
        files: Files | None = None,
    ) -> None:
        """``url`` is ``amqps://province.<key>:password@host/vhost``; ``province`` the key, or ``headquarters``.

        ``private_keys`` are the PEMs (X25519 or P-256) that read events, the newest first. Raises ValueError.
        """
        self._url = make_url(url, heartbeat=HEARTBEAT_SECONDS)
        self._province = province
        self._memory = memory
        self._files = files
        self._private_keys, self._desk_keys = PrivateKeys(private_keys), desk_keys
        self._connection: AbstractConnection | None = None
        self._lost = asyncio.Event()
        self._reports = Reports(url, province, desk_keys)
        self._waiting: asyncio.Queue[AbstractIncomingMessage | None] = asyncio.Queue()
        self._current: tuple[Case, AbstractIncomingMessage] | None = None
        self.rejected = 0
        """How many events could not be read and were dead-lettered, for monitoring."""

    async def __aenter__(self) -> Self:
        """Connect. Raises BrokerUnavailableError, or BrokerRefusedError for a wrong setting."""
        try:
            await self._connect()
        except REFUSALS as error:
            raise refusal(error, self._url, self._province) from error
        except BROKER_ERRORS as error:
            raise BrokerUnavailableError(f"no connection to {self._url.host}: {type(error).__name__}") from error
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Acknowledge the last case, or return it to the queue if an error interrupted it."""
        try:
            if kind is None:
                await self._finish()
            elif self._current is not None:
                with suppress(*BROKER_ERRORS):
                    await self._current[1].reject(requeue=True)
        finally:
            self._current = None
            await self._disconnect()
            await self._reports.close()
            await self._desk_keys.close()
            if self._files is not None:
                await self._files.close()

    @property
    def served(self) -> bool:
        """Whether the queue is being consumed now, for monitoring; the inbox reconnects by itself."""
        return self._connection is not None and not self._lost.is_set()

    def __aiter__(self) -> AsyncIterator[Case]:
        """Iterate over cases until cancelled."""
        return self

    async def __anext__(self) -> Case:
        """Acknowledge the previous case, and wait for the next."""
        await self._finish()
        while True:
            message = await self._waiting.get()
            if message is None:
                await self._reconnect()
                continue
            case = await self._read(message)
            if case is not None:
                self._current = (case, message)
                return case

    async def _read(self, message: AbstractIncomingMessage) -> Case | None:
        """Return the case of a message; settle the message and return None if there is nothing to handle."""
        try:
            event = read(message.body, self._private_keys)
        except ValidationError as error:
            log.error("an invalid event is dead-lettered: %d errors", error.error_count())  # noqa: TRY400 - its text may be personal
            await self._reject(message)
            return None
        except DecryptionError as error:
            log.error("event %s is dead-lettered: %s", message.message_id, error)  # noqa: TRY400 - the reason is enough
            await self._reject(message)
            return None
        if event.kind not in CONSUMED or await self._memory.handled(event.id):
            await self._settle(message, handled=True)
            return None
        if event.refusal is not None and event.refusal.expected_seq is not None:
            await self._memory.continue_from(event.tracking_code, event.refusal.expected_seq)
        return Case.from_event(event, self._report, self._files)

    async def _finish(self) -> None:
        if self._current is not None:
            case, message = self._current
            await self._memory.remember(case.event_id)
            self._current = None
            await self._settle(message, handled=True)

    async def _reject(self, message: AbstractIncomingMessage) -> None:
        self.rejected += 1
        await self._settle(message, handled=False)

    async def _settle(self, message: AbstractIncomingMessage, *, handled: bool) -> None:
        try:
            await (message.ack() if handled else message.reject(requeue=False))
        except BROKER_ERRORS as error:  # it is delivered again and recognised by its id
            log.warning("a case could not be acknowledged: %s", type(error).__name__)

    async def _report(self, name: str, report_id: str, tracking_code: str, data: dict[str, Any]) -> None:
        seq = await self._memory.number(tracking_code, report_id)
        await self._reports.send(Report(report_id, name, tracking_code, seq, data), self._traceparent(tracking_code))

    def _traceparent(self, tracking_code: str) -> str | None:
        """Return the trace of the event that is being handled, if it is about this case."""
        if self._current is None or self._current[0].tracking_code != tracking_code:
            return None
        given = self._current[1].headers.get(TRACEPARENT)
        return given if isinstance(given, str) else None

    async def _connect(self) -> None:
        await self._disconnect()
        waiting: asyncio.Queue[AbstractIncomingMessage | None] = asyncio.Queue()
        lost = asyncio.Event()

        def on_lost(*_: object) -> None:
            lost.set()
            waiting.put_nowait(None)

        connection = aio_pika.Connection(self._url)
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await connection.connect()
                channel = connection.channel()
                await channel.initialize()
                await channel.set_qos(prefetch_count=1)
                channel.close_callbacks.add(on_lost)
                underlay = await channel.get_underlay_channel()
                underlay.on_consumer_cancel_callbacks.add(on_lost)  # for example, the queue was deleted
                queue = await channel.get_queue(queue_of(self._province), ensure=False)
                await queue.consume(waiting.put)
        except BaseException:
            await connection.close()
            raise
        self._connection, self._waiting, self._lost = connection, waiting, lost

    async def _reconnect(self) -> None:
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                await self._connect()
            except BROKER_ERRORS as error:
                refused = isinstance(error, REFUSALS)
                reason = refusal(error, self._url, self._province) if refused else type(error).__name__
                log.warning("the broker is unavailable: %s", reason)
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
            else:
                return

    async def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(*BROKER_ERRORS):
                async with asyncio.timeout(CONNECT_SECONDS):
                    await connection.close()
