"""Consumes queues: connects, checks regularly that messages are really delivered, and reconnects if not."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from functools import partial
from itertools import cycle

import structlog
from aio_pika.abc import AbstractIncomingMessage, AbstractQueue
from prometheus_client import Counter

from desk.chassis.bus.broker import BrokerUnavailableError
from desk.chassis.bus.rabbit.connection import (
    LONGEST_PAUSE_SECONDS,
    ChannelConnection,
    Outage,
    open_connection,
    reason_of,
    translate_broker_errors,
)

log = structlog.get_logger(__name__)

PREFETCH = 9
"""With the one message that may still be running from the first consumer with prefetch 1, ten at most."""
CHECK_SECONDS = 10.0
ANSWER_SECONDS = 5.0
ALIVE_SECONDS = 60.0
DRAIN_SECONDS = 20.0

Handle = Callable[[AbstractIncomingMessage, Callable[[], bool]], Awaitable[None]]
"""Handles one message; the second argument returns whether its channel can still acknowledge it."""


class QueueConsumer:
    """One connection for one or more queues, up to ``prefetch`` and one running handlers for each."""

    def __init__(
        self, url: str, name: str, handlers: Mapping[str, Handle], connects: Counter, prefetch: int = PREFETCH
    ) -> None:
        """``handlers`` by queue; ``name`` is for the log."""
        self._url = url
        self._queue = name
        self._handlers_of = handlers
        self._connects = connects
        self._prefetch = prefetch
        self._outage = Outage(f"queue {name}")
        self._stopping = asyncio.Event()
        self._last_round_trip: float | None = None
        self._handlers: set[asyncio.Task[None]] = set()
        self._task = asyncio.create_task(self._run(), name=f"queue {name}")

    def alive(self) -> bool:
        """Return whether the queue's channel made a round trip in the last minute and has not failed since."""
        last = self._last_round_trip
        return not self._task.done() and last is not None and time.monotonic() - last <= ALIVE_SECONDS

    async def drain(self) -> None:
        """Consume no more messages, let handlers finish within 20 s, and close the connection."""
        self._stopping.set()
        await asyncio.wait([self._task])
        await self._finish_handlers()

    async def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                with translate_broker_errors():
                    await self._serve()
            except BrokerUnavailableError as error:
                pause = self._outage.record_failure(str(error))
            except Exception:  # the top of the loop: a queue must not lose its consumer
                log.exception("consumer failed", queue=self._queue)
                pause = LONGEST_PAUSE_SECONDS
            else:
                return
            finally:
                self._last_round_trip = None
            await _wait(self._stopping, pause)

    async def _serve(self) -> None:
        """Consume the queue until drained. Raises BrokerUnavailableError or the driver's error if it ends early."""
        connection = await open_connection(self._url, confirms=False)
        try:
            consumption = _Consumption(connection, tuple(self._handlers_of), self._start_handler)
            # If a message kills its consumer, every unacknowledged message counts as one failed delivery. So each
            # consumer starts with one message at a time, and such a message soon reaches its delivery limit alone.
            await consumption.start(prefetch=1)
            self._record_round_trip()
            self._connects.labels("consume").inc()
            first_check = True
            while not await consumption.wait_for_stop(self._stopping):
                await consumption.check_served()
                self._record_round_trip()
                if first_check:
                    await consumption.start(prefetch=self._prefetch)
                    first_check = False
            await consumption.stop()
            await self._finish_handlers()
        finally:
            await connection.close()

    def _record_round_trip(self) -> None:
        self._last_round_trip = time.monotonic()
        self._outage.record_recovery()

    def _start_handler(self, queue: str, incoming: AbstractIncomingMessage, consumption: "_Consumption") -> None:
        if self._stopping.is_set():
            return  # the broker delivers it again once the channel is closed
        # A task of our own: the driver cancels its tasks with the channel, and a handler may be committing.
        task = asyncio.create_task(self._handle_message(queue, incoming, consumption), name=f"event of {queue}")
        self._handlers.add(task)
        task.add_done_callback(self._handlers.discard)

    async def _handle_message(self, queue: str, incoming: AbstractIncomingMessage, consumption: "_Consumption") -> None:
        def can_acknowledge() -> bool:
            return consumption.is_open and not self._stopping.is_set()

        try:
            await self._handlers_of[queue](incoming, can_acknowledge)
        except Exception:  # the top of one message: unacknowledged it would occupy the prefetch for ever
            log.exception("event not acknowledged", queue=queue)
            consumption.fail("an event was not acknowledged")

    async def _finish_handlers(self) -> None:
        if not self._handlers:
            return
        _, unfinished = await asyncio.wait(self._handlers, timeout=DRAIN_SECONDS)
        for task in unfinished:
            log.error("handler did not finish in time", queue=self._queue)
            task.cancel()
        await asyncio.gather(*unfinished, return_exceptions=True)


class _Consumption:
    """The consumption of queues over one connection."""

    def __init__(
        self,
        connection: ChannelConnection,
        queues: tuple[str, ...],
        start_handler: Callable[[str, AbstractIncomingMessage, "_Consumption"], None],
    ) -> None:
        self._connection = connection
        self._queues = queues
        self._next_checked = cycle(queues)
        self._start_handler = start_handler
        self._consumed: dict[str, AbstractQueue] = {}
        """The consumed queues by consumer tag."""
        self._disturbed = asyncio.Event()
        self._lost: str | None = None
        connection.channel.close_callbacks.add(self._on_close)

    @property
    def is_open(self) -> bool:
        """Whether delivered messages can still be acknowledged."""
        return not self._connection.channel.is_closed

    async def start(self, *, prefetch: int) -> None:
        """Consume, with at most ``prefetch`` unacknowledged messages of each queue."""
        async with asyncio.timeout(ANSWER_SECONDS + len(self._queues)):
            await self.stop()
            await self._connection.channel.set_qos(prefetch)
            underlay = await self._connection.channel.get_underlay_channel()
            underlay.on_consumer_cancel_callbacks.add(self._on_cancel)
            for name in self._queues:
                queue = await self._connection.channel.get_queue(name)
                self._consumed[await queue.consume(partial(self._on_message, name))] = queue

    async def stop(self) -> None:
        """Consume no more. Messages already delivered can still be acknowledged."""
        consumed, self._consumed = self._consumed, {}
        for tag, queue in consumed.items():
            await queue.cancel(tag, timeout=ANSWER_SECONDS)

    async def wait_for_stop(self, stopping: asyncio.Event) -> bool:
        """Wait until the next check is due or consumption is disturbed. Return whether ``stopping`` is set.

        Raises BrokerUnavailableError if the connection was lost.
        """
        stop = asyncio.ensure_future(stopping.wait())
        disturbed = asyncio.ensure_future(self._disturbed.wait())
        try:
            await asyncio.wait((stop, disturbed), timeout=CHECK_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stop.cancel()
            disturbed.cancel()
        if not stopping.is_set() and self._lost is not None:
            raise BrokerUnavailableError(self._lost)
        return stopping.is_set()

    async def check_served(self) -> None:
        """Make a round trip to a queue, the next one at each call.

        Raises BrokerUnavailableError or the driver's error if it is not consumed.
        """
        async with asyncio.timeout(ANSWER_SECONDS):
            queue = await self._connection.channel.declare_queue(next(self._next_checked), passive=True)
        if self._disturbed.is_set() or queue.declaration_result.consumer_count == 0:
            raise BrokerUnavailableError("the broker has cancelled the consumer")

    def fail(self, reason: str) -> None:
        """End with an error, so that the broker delivers unacknowledged messages again."""
        self._lost = self._lost or reason
        self._disturbed.set()

    async def _on_message(self, queue: str, incoming: AbstractIncomingMessage) -> None:
        self._start_handler(queue, incoming, self)

    def _on_cancel(self, _frame: object) -> None:
        self._disturbed.set()  # the next check finds the reason: usually the queue was deleted

    def _on_close(self, _channel: object, error: BaseException | None) -> None:
        self.fail(reason_of(error) if error is not None else "the channel was closed")


async def _wait(event: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
