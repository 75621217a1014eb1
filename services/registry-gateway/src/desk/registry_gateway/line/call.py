"""One call to a registry: bounded in time and in number, made again where that is safe, watched by a breaker."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import structlog
from prometheus_client import Counter, Gauge

from desk.chassis.telemetry import Telemetry
from desk.registry_gateway.domain import Klass, UnansweredError
from desk.registry_gateway.line.breaker import Breaker

log = structlog.get_logger(__name__)

T = TypeVar("T")

QUEUE_SECONDS = 0.5
"""How long a call waits for one of the calls in flight to end."""
RETRY_PAUSE_SECONDS = (0.05, 0.25)
"""Between the two tries lies a time by chance, so that replicas do not come back all at once."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How patient a line is."""

    seconds: float
    in_flight: int
    failures: int
    pause_seconds: float


class Line:
    """The way to one registry."""

    def __init__(self, name: str, limits: Limits, meters: "Meters") -> None:
        self._name = name
        self._limits = limits
        self._slots = asyncio.Semaphore(limits.in_flight)
        self.breaker = Breaker(limits.failures, limits.pause_seconds)
        self._meters = meters
        meters.breaker_open.labels(name).set_function(lambda: float(not self.breaker.closed))

    async def call(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Ask once, and once more if nobody can have heard the first time. Raises UnansweredError."""
        if not self.breaker.lets_through():
            raise UnansweredError(Klass.DOWN, "the breaker is open")
        try:
            answer = await self._within_limits(ask)
        except UnansweredError as error:
            self._report(error)
            raise
        except BaseException:  # cancelled, or a bug of ours: neither tells anything about the registry
            self.breaker.released()
            raise
        self.breaker.succeeded()
        return answer

    async def _within_limits(self, ask: Callable[[], Awaitable[T]]) -> T:
        try:
            async with asyncio.timeout(QUEUE_SECONDS):
                await self._slots.acquire()
        except TimeoutError:
            raise UnansweredError(Klass.IGNORE, "too many calls in flight") from None
        try:
            async with asyncio.timeout(self._limits.seconds):
                return await self._twice_at_most(ask)
        except TimeoutError:
            raise UnansweredError(Klass.DOWN, f"no answer within {self._limits.seconds:g} s") from None
        finally:
            self._slots.release()

    async def _twice_at_most(self, ask: Callable[[], Awaitable[T]]) -> T:
        try:
            return await ask()
        except UnansweredError as error:
            if not error.again:
                raise
        await asyncio.sleep(random.uniform(*RETRY_PAUSE_SECONDS))  # noqa: S311 - to spread calls, no secret
        return await ask()

    def _report(self, error: UnansweredError) -> None:
        self._meters.unanswered.labels(self._name, error.klass).inc()
        match error.klass:
            case Klass.CONFIG:
                self.breaker.trip()
                log.error("registry refuses our account or its rights", registry=self._name, said=str(error))
            case Klass.BUG:  # one person's record must not shut the door to all others
                self.breaker.released()
                log.error("registry answers what nobody foresaw", registry=self._name, said=str(error))
            case Klass.QUOTA | Klass.CLOSED_HOURS | Klass.IGNORE:
                self.breaker.released()
                log.warning("registry not asked any more", registry=self._name, said=str(error))
            case _:
                self.breaker.failed()
                log.warning("registry gave no answer", registry=self._name, said=str(error))


class Meters:
    """What operators see of the lines."""

    def __init__(self, telemetry: Telemetry) -> None:
        self.unanswered = Counter(
            "desk_registry_unanswered", "Calls without an answer", ["registry", "klass"], registry=telemetry.registry
        )
        self.breaker_open = Gauge(
            "desk_registry_breaker_open", "1 while a registry is not asked", ["registry"], registry=telemetry.registry
        )
