"""Keeps one queue served: connects, consumes, watches that it is really served, and begins again when it is not."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

import structlog
from aio_pika.abc import AbstractIncomingMessage, AbstractQueue
from prometheus_client import Counter

from desk.chassis.bus.broker import BrokerUnavailableError
from desk.chassis.bus.rabbit.link import LONGEST_PAUSE_SECONDS, Link, Outage, broker_faults, open_link, reason_of

log = structlog.get_logger(__name__)

PREFETCH = 9
"""With the one message that may still be at work from the careful beginning, ten at most."""
WATCH_SECONDS = 10.0
ANSWER_SECONDS = 5.0
ALIVE_SECONDS = 60.0
DRAIN_SECONDS = 20.0

Handle = Callable[[AbstractIncomingMessage, Callable[[], bool]], Awaitable[None]]
"""Handles one message; the second argument tells whether its channel can still acknowledge it."""


class QueueConsumer:
    """One queue, one connection, up to ten handlers at work."""

    def __init__(self, url: str, queue: str, handle: Handle, connects: Counter) -> None:
        self._url = url
        self._queue = queue
        self._handle = handle
        self._connects = connects
        self._outage = Outage(f"queue {queue}")
        self._stopping = asyncio.Event()
        self._last_answer: float | None = None
        self._handlers: set[asyncio.Task[None]] = set()
        self._task = asyncio.create_task(self._run(), name=f"queue {queue}")

    def alive(self) -> bool:
        """Tell whether the queue's channel made a round trip in the last minute, and nothing befell it since."""
        last = self._last_answer
        return not self._task.done() and last is not None and time.monotonic() - last <= ALIVE_SECONDS

    async def drain(self) -> None:
        """Take no more messages, let handlers finish within 20 s, and leave."""
        self._stopping.set()
        await asyncio.wait([self._task])
        await self._finish_handlers()

    async def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                with broker_faults():
                    await self._serve()
            except BrokerUnavailableError as error:
                pause = self._outage.goes_on(str(error))
            except Exception:  # the loop's top: a queue must not stay without its consumer
                log.exception("queue not served", queue=self._queue)
                pause = LONGEST_PAUSE_SECONDS
            else:
                return
            finally:
                self._last_answer = None
            await _happens(self._stopping, pause)

    async def _serve(self) -> None:
        """Serve the queue until drained. Raises BrokerUnavailableError or the driver's error if that ends early."""
        link = await open_link(self._url, confirms=False)
        try:
            serving = _Serving(link, self._queue, self._take)
            # Ten messages that are out with a consumer which dies count as ten failed deliveries, whoever killed it.
            # Each beginning is with one at a time, so that a killer is soon alone with its count.
            await serving.begin(prefetch=1)
            self._note_answer()
            self._connects.labels("consume").inc()
            careful = True
            while not await serving.ends(self._stopping):
                await serving.demand_answer()
                self._note_answer()
                if careful:
                    await serving.begin(prefetch=PREFETCH)
                    careful = False
            await serving.end()
            await self._finish_handlers()
        finally:
            await link.close()

    def _note_answer(self) -> None:
        self._last_answer = time.monotonic()
        self._outage.is_over()

    def _take(self, incoming: AbstractIncomingMessage, serving: "_Serving") -> None:
        if self._stopping.is_set():
            return  # it stays the broker's, who gives it out again once the channel is closed
        # A task of our own: the driver cancels its tasks with the channel, and a handler may be committing.
        task = asyncio.create_task(self._answer_for(incoming, serving), name=f"event of {self._queue}")
        self._handlers.add(task)
        task.add_done_callback(self._handlers.discard)

    async def _answer_for(self, incoming: AbstractIncomingMessage, serving: "_Serving") -> None:
        def served() -> bool:
            return serving.stands and not self._stopping.is_set()

        try:
            await self._handle(incoming, served)
        except Exception:  # the top of one message: unanswered it would hold its place for ever
            log.exception("event not answered", queue=self._queue)
            serving.give_up("an event was not answered")

    async def _finish_handlers(self) -> None:
        if not self._handlers:
            return
        _, unfinished = await asyncio.wait(self._handlers, timeout=DRAIN_SECONDS)
        for task in unfinished:
            log.error("handler did not finish in time", queue=self._queue)
            task.cancel()
        await asyncio.gather(*unfinished, return_exceptions=True)


class _Serving:
    """The consumption of a queue over one link."""

    def __init__(self, link: Link, queue: str, take: Callable[[AbstractIncomingMessage, "_Serving"], None]) -> None:
        self._link = link
        self._queue = queue
        self._take = take
        self._tag: str | None = None
        self._begun: AbstractQueue | None = None
        self._disturbed = asyncio.Event()
        self._lost: str | None = None
        link.channel.close_callbacks.add(self._on_close)

    @property
    def stands(self) -> bool:
        """Whether messages taken can still be acknowledged."""
        return not self._link.channel.is_closed

    async def begin(self, *, prefetch: int) -> None:
        """Consume, with at most ``prefetch`` messages unanswered."""
        async with asyncio.timeout(ANSWER_SECONDS):
            await self.end()
            await self._link.channel.set_qos(prefetch)
            self._begun = await self._link.channel.get_queue(self._queue)
            underlay = await self._link.channel.get_underlay_channel()
            underlay.on_consumer_cancel_callbacks.add(self._on_cancel)
            self._tag = await self._begun.consume(self._on_message)

    async def end(self) -> None:
        """Consume no more; messages already taken can still be acknowledged."""
        if self._begun is not None and self._tag is not None:
            tag, self._tag = self._tag, None
            await self._begun.cancel(tag, timeout=ANSWER_SECONDS)

    async def ends(self, stopping: asyncio.Event) -> bool:
        """Wait until the next look is due or something disturbs it; tell whether it is because all is to stop."""
        stop = asyncio.ensure_future(stopping.wait())
        disturbed = asyncio.ensure_future(self._disturbed.wait())
        try:
            await asyncio.wait((stop, disturbed), timeout=WATCH_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stop.cancel()
            disturbed.cancel()
        if not stopping.is_set() and self._lost is not None:
            raise BrokerUnavailableError(self._lost)
        return stopping.is_set()

    async def demand_answer(self) -> None:
        """Make a round trip to the queue. Raises BrokerUnavailableError or the driver's error if it is not served."""
        async with asyncio.timeout(ANSWER_SECONDS):
            queue = await self._link.channel.declare_queue(self._queue, passive=True)
        if self._disturbed.is_set() or queue.declaration_result.consumer_count == 0:
            raise BrokerUnavailableError("the broker has ended the consumer")

    def give_up(self, reason: str) -> None:
        """End with a fault, so that unanswered messages are given out again."""
        self._lost = self._lost or reason
        self._disturbed.set()

    async def _on_message(self, incoming: AbstractIncomingMessage) -> None:
        self._take(incoming, self)

    def _on_cancel(self, _frame: object) -> None:
        self._disturbed.set()  # the next look tells why: as a rule the queue is gone

    def _on_close(self, _channel: object, error: BaseException | None) -> None:
        self.give_up(reason_of(error) if error is not None else "the channel was closed")


async def _happens(event: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
