"""Background work of an app: workers that are restarted after a failure, and an orderly shutdown."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass

import structlog
from fastapi import FastAPI

from desk.chassis.health import Readiness
from desk.chassis.telemetry import Telemetry

log = structlog.get_logger(__name__)

FINISH_SECONDS = 10.0
"""How long background work may take to end when the app stops."""

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 10.0
"""Pause before failed background work is restarted; it doubles each time."""

_RECOVERED_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Worker:
    """Background work that runs as long as the app. It is restarted after a pause if it ends with an error."""

    name: str
    run: Callable[[], Awaitable[None]]
    finish: Callable[[], None] | None = None
    """Asks the work to end at a safe point. Work without it is cancelled immediately."""


Closers = Sequence[Callable[[], Awaitable[None]]]
"""Functions that close a service's connections, in order."""


@dataclass(slots=True)
class Background:
    """What an app starts after itself and stops before itself: consumers, workers, connections."""

    start: Callable[[], Awaitable[None]] | None = None
    drain: Callable[[], Awaitable[None]] | None = None
    """Called first when the app stops: consume no more messages and let handlers finish."""
    workers: Sequence[Worker] = ()
    stop: Closers = ()
    """Called in order once the workers have ended."""


def lifespan_of(
    readiness: Readiness, background: Background, telemetry: Telemetry
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """Return the app's lifespan. On shutdown readiness ends first, then messages, workers, connections."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        if background.start is not None:
            await background.start()
        stopping = asyncio.Event()
        tasks = [
            asyncio.create_task(_supervise(worker, stopping, telemetry), name=worker.name)
            for worker in background.workers
        ]
        async with AsyncExitStack() as stack:  # unwound from the last to the first, even if one of them raises
            if telemetry.tracing is not None:
                stack.push_async_callback(telemetry.tracing.close)
            for stop in reversed(background.stop):
                stack.push_async_callback(stop)
            stack.push_async_callback(_end, background.workers, tasks)
            if background.drain is not None:
                stack.push_async_callback(background.drain)
            try:
                yield
            finally:
                readiness.stopping = True
                stopping.set()

    return lifespan


async def _supervise(worker: Worker, stopping: asyncio.Event, telemetry: Telemetry) -> None:
    pause = FIRST_PAUSE_SECONDS
    while not stopping.is_set():
        begun = time.monotonic()
        try:
            await worker.run()
        except Exception:  # the top of the loop: the work must go on
            telemetry.crashes.labels(worker.name).inc()
            log.exception("worker failed and is restarted", worker=worker.name)
        if time.monotonic() - begun > _RECOVERED_SECONDS:
            pause = FIRST_PAUSE_SECONDS
        with suppress(TimeoutError):
            async with asyncio.timeout(pause):
                await stopping.wait()
        pause = min(pause * 2, LONGEST_PAUSE_SECONDS)


async def _end(workers: Sequence[Worker], tasks: Sequence[asyncio.Task[None]]) -> None:
    for worker, task in zip(workers, tasks, strict=True):
        if worker.finish is None:
            task.cancel()
        else:
            worker.finish()
    if tasks:
        _, unfinished = await asyncio.wait(tasks, timeout=FINISH_SECONDS)
        for task in unfinished:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
