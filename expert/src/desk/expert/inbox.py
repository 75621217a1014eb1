"""A province's queue: cases in, one after the other, and reports out; connected again whenever the broker is back."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

import aio_pika
from aio_pika.abc import AbstractConnection, AbstractIncomingMessage
from aio_pika.connection import make_url
from pydantic import ValidationError

from desk.expert.case import Case
from desk.expert.errors import BrokerAwayError
from desk.expert.events import HEARD, read
from desk.expert.files import Files
from desk.expert.memory import Memory
from desk.expert.reports import (
    CONNECT_SECONDS,
    FAULTS,
    FIRST_PAUSE_SECONDS,
    HEARTBEAT_SECONDS,
    LONGEST_PAUSE_SECONDS,
    Report,
    Reports,
)

log = logging.getLogger(__name__)


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
        self._lost = asyncio.Event()
        self._reports = Reports(url, province)
        self._waiting: asyncio.Queue[AbstractIncomingMessage | None] = asyncio.Queue()
        self._current: tuple[Case, AbstractIncomingMessage] | None = None

    async def __aenter__(self) -> Self:
        """Connect. Raises BrokerAwayError: whatever is wrong at the start is better known at once."""
        try:
            await self._connect()
        except FAULTS as error:
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
                with suppress(*FAULTS):
                    await self._current[1].reject(requeue=True)
        finally:
            self._current = None
            await self._disconnect()
            await self._reports.close()
            if self._files is not None:
                await self._files.close()

    @property
    def served(self) -> bool:
        """Whether the queue is being served at this moment: for whoever watches; the inbox itself connects again."""
        return self._connection is not None and not self._lost.is_set()

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
        """Return the case of a message; None, and be done with it, if there is nothing to handle."""
        try:
            told = read(message.body)
        except ValidationError as error:
            log.error("an event that cannot be read goes to the dead letters: %d faults", error.error_count())  # noqa: TRY400 - its text may be personal
            await self._settle(message, handled=False)
            return None
        if told.kind not in HEARD or await self._memory.handled(told.id):
            await self._settle(message, handled=True)
            return None
        return Case.of(told, self._report, self._files)

    async def _finish(self) -> None:
        if self._current is not None:
            case, message = self._current
            await self._memory.remember(case.event_id)
            self._current = None
            await self._settle(message, handled=True)

    async def _settle(self, message: AbstractIncomingMessage, *, handled: bool) -> None:
        try:
            await (message.ack() if handled else message.reject(requeue=False))
        except FAULTS as error:  # it comes again, and is known by its id
            log.warning("a case could not be acknowledged: %s", type(error).__name__)

    async def _report(self, name: str, report_id: str, tracking_code: str, data: dict[str, Any]) -> None:
        seq = await self._memory.number(tracking_code, report_id)
        await self._reports.send(Report(report_id, name, tracking_code, seq, data))

    async def _connect(self) -> None:
        await self._disconnect()
        waiting: asyncio.Queue[AbstractIncomingMessage | None] = asyncio.Queue()
        lost = asyncio.Event()

        def lose(*_: object) -> None:
            lost.set()
            waiting.put_nowait(None)

        connection = aio_pika.Connection(self._url)
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await connection.connect()
                channel = connection.channel()
                await channel.initialize()
                await channel.set_qos(prefetch_count=1)
                channel.close_callbacks.add(lose)
                underlay = await channel.get_underlay_channel()
                underlay.on_consumer_cancel_callbacks.add(lose)  # as when the queue is deleted, and made anew
                queue = await channel.get_queue(f"province.{self._province}", ensure=False)
                await queue.consume(waiting.put)
        except BaseException:
            await connection.close()
            raise
        self._connection, self._waiting, self._lost = connection, waiting, lost

    async def _connect_again(self) -> None:
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                await self._connect()
            except FAULTS as error:
                log.warning("the broker is away: %s", type(error).__name__)
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
            else:
                return

    async def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(*FAULTS):
                async with asyncio.timeout(CONNECT_SECONDS):
                    await connection.close()
