"""Guards the registry: limits look-ups and mismatches per source and of the whole service."""

import asyncio
import time

import structlog
from prometheus_client import Counter
from redis.asyncio import Redis

from desk.chassis.problem import RateLimitExceededError, ServiceUnavailableError
from desk.chassis.telemetry import Telemetry
from desk.registry_gateway.store import HOLD_MS, LookupCounters, LookupLimits, Reservation, Status

log = structlog.get_logger(__name__)

BUSY_SECONDS = 0.8
"""How long a look-up waits for other look-ups of its source to end."""
BUSY_PAUSE_SECONDS = 0.05
BUSY_RETRY_SECONDS = 2
"""When a caller may retry whose look-up waited in vain."""


class LookupGuard:
    """Reserves look-ups. Mismatches have lower limits than look-ups, because a sweep shows in its mismatches."""

    def __init__(self, redis: Redis, limits: LookupLimits, telemetry: Telemetry) -> None:
        self._counters = LookupCounters(redis, limits)
        self._fan_out_limit = limits.fan_out.most
        self._releasing: set[asyncio.Task[None]] = set()
        registry = telemetry.registry
        self._refused = Counter("desk_registry_refused", "Look-ups refused", ["budget"], registry=registry)
        self._fan_outs = Counter(
            "desk_registry_fan_outs", "Sources that asked for suspiciously many numbers", registry=registry
        )

    async def reserve(self, number_index: str, source_index: str) -> Reservation:
        """Reserve a look-up before it is made; then call :meth:`count_mismatch` or :meth:`release`.

        Raises RateLimitExceededError, or ServiceUnavailableError if Redis is unavailable.
        """
        reservation = Reservation.new(source_index)
        deadline = time.monotonic() + BUSY_SECONDS
        while True:
            attempt = await self._counters.reserve(reservation, number_index, source_index)
            if attempt.fan_out:
                self._report_fan_out(source_index)
            match attempt.status:
                case Status.RESERVED:
                    return reservation
                case Status.EXHAUSTED:
                    self._refused.labels(attempt.limit).inc()
                    raise RateLimitExceededError(attempt.limit, retry_after=attempt.retry_after)
                case Status.BUSY if time.monotonic() >= deadline:
                    self._refused.labels("busy").inc()
                    raise RateLimitExceededError("look-ups of this source in progress", retry_after=BUSY_RETRY_SECONDS)
            await asyncio.sleep(BUSY_PAUSE_SECONDS)

    def _report_fan_out(self, source_index: str) -> None:
        self._fan_outs.inc()
        log.error("fan-out: many numbers from one source", source=source_index[:12], most=self._fan_out_limit)

    async def count_mismatch(self, reservation: Reservation) -> None:
        """End a look-up as a mismatch. Raises ServiceUnavailableError: then the result must not be returned."""
        await self._counters.count_mismatch(reservation)

    def release(self, reservation: Reservation) -> None:
        """End a look-up that was not a mismatch, in the background. If that fails, the reservation expires."""
        releasing = asyncio.create_task(self._release(reservation))
        self._releasing.add(releasing)  # the event loop itself holds tasks only weakly
        releasing.add_done_callback(self._releasing.discard)

    async def _release(self, reservation: Reservation) -> None:
        try:
            await self._counters.release(reservation)
        except ServiceUnavailableError as error:
            log.warning("look-up not released", error=str(error), seconds=HOLD_MS // 1000)

    async def close(self) -> None:
        """Wait for the releases in progress."""
        await asyncio.gather(*self._releasing)
