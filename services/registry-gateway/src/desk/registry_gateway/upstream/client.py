"""Calls to a registry: limited in time and in number, retried where that is safe, guarded by a circuit breaker."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import structlog
from prometheus_client import Counter, Gauge

from desk.chassis.telemetry import Telemetry
from desk.registry_gateway.domain import FailureKind, UnansweredError
from desk.registry_gateway.upstream.breaker import CircuitBreaker

log = structlog.get_logger(__name__)

T = TypeVar("T")

QUEUE_SECONDS = 0.5
"""How long a call waits while the maximum number of calls is in flight."""
RETRY_PAUSE_SECONDS = (0.05, 0.25)
"""The random pause before the second attempt, so that replicas do not retry at the same time."""


@dataclass(frozen=True, slots=True)
class CallLimits:
    """Limits for the calls to a registry."""

    seconds: float
    """For one call, including its second attempt."""
    in_flight: int
    failures: int
    """So many failures in a row open the circuit breaker."""
    pause_seconds: float
    """How long the circuit breaker stays open."""


class ResilientClient:
    """Makes the calls to one registry."""

    def __init__(self, name: str, limits: CallLimits, metrics: "UpstreamMetrics") -> None:
        self._name = name
        self._limits = limits
        self._slots = asyncio.Semaphore(limits.in_flight)
        self.breaker = CircuitBreaker(limits.failures, limits.pause_seconds)
        self._metrics = metrics
        metrics.breaker_open.labels(name).set_function(lambda: float(not self.breaker.closed))

    async def call(self, request: Callable[[], Awaitable[T]]) -> T:
        """Make a call, and a second attempt if the first cannot have taken effect. Raises UnansweredError."""
        if not self.breaker.allow_call():
            raise UnansweredError(FailureKind.DOWN, "the circuit breaker is open")
        try:
            answer = await self._call_within_limits(request)
        except UnansweredError as error:
            self._record_failure(error)
            raise
        except BaseException:  # cancelled, or a bug of ours: neither shows whether the registry works
            self.breaker.release()
            raise
        self.breaker.record_success()
        return answer

    async def _call_within_limits(self, request: Callable[[], Awaitable[T]]) -> T:
        try:
            async with asyncio.timeout(QUEUE_SECONDS):
                await self._slots.acquire()
        except TimeoutError:
            raise UnansweredError(FailureKind.IGNORE, "too many calls in flight") from None
        try:
            async with asyncio.timeout(self._limits.seconds):
                return await self._call_with_retry(request)
        except TimeoutError:
            raise UnansweredError(FailureKind.DOWN, f"timed out after {self._limits.seconds:g} s") from None
        finally:
            self._slots.release()

    async def _call_with_retry(self, request: Callable[[], Awaitable[T]]) -> T:
        try:
            return await request()
        except UnansweredError as error:
            if not error.retryable:
                raise
        await asyncio.sleep(random.uniform(*RETRY_PAUSE_SECONDS))  # noqa: S311 - to spread calls, no secret
        return await request()

    def _record_failure(self, error: UnansweredError) -> None:
        self._metrics.unanswered.labels(self._name, error.kind).inc()
        match error.kind:
            case FailureKind.CONFIG:
                self.breaker.open()
                log.error("registry refuses the account or its rights", registry=self._name, error=str(error))
            case FailureKind.BUG:  # the broken record of one person must not stop the look-ups of all others
                self.breaker.release()
                log.error("unexpected answer of the registry", registry=self._name, error=str(error))
            case FailureKind.QUOTA | FailureKind.CLOSED_HOURS | FailureKind.IGNORE:
                self.breaker.release()
                log.warning("registry refuses calls for now", registry=self._name, error=str(error))
            case _:
                self.breaker.record_failure()
                log.warning("registry did not answer", registry=self._name, error=str(error))


class UpstreamMetrics:
    """The metrics of all registries."""

    def __init__(self, telemetry: Telemetry) -> None:
        self.unanswered = Counter(
            "desk_registry_unanswered", "Calls without an answer", ["registry", "klass"], registry=telemetry.registry
        )
        self.breaker_open = Gauge(
            "desk_registry_breaker_open", "1 while a registry is not asked", ["registry"], registry=telemetry.registry
        )
