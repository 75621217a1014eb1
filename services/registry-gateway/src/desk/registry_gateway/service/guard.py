"""Guards the registry: limits look-ups and mismatches per source and of the whole service."""

import asyncio
import time
from collections import Counter as Count
from dataclasses import dataclass

import structlog
from prometheus_client import Counter

from desk.chassis.problem import DomainError, ProofRequiredError, RateLimitExceededError, ServiceUnavailableError
from desk.chassis.rate_limits import Attempt, RateLimits, Reservation
from desk.chassis.telemetry import Telemetry
from desk.registry_gateway.store import FanOut

log = structlog.get_logger(__name__)

BUSY_SECONDS = 0.8
"""How long a look-up waits for other look-ups of its source to end before it needs a proof of work."""
BUSY_PAUSE_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class SourceLimits:
    """The limits of one source and of the service, each a text such as ``5/10 minutes``."""

    mismatches_per_source: str
    lookups_per_source: str
    lookups_of_service: str


class LookupGuard:
    """Reserves look-ups. Mismatches have lower limits than look-ups, because a sweep shows in its mismatches.

    Each look-up counts as a mismatch from before it is made, until it is released.
    """

    def __init__(self, rate_limits: RateLimits, fan_out: FanOut, limits: SourceLimits, telemetry: Telemetry) -> None:
        self._rate_limits = rate_limits
        self._fan_out = fan_out
        self._limits = limits
        self._in_progress: Count[str] = Count()
        self._releasing: set[asyncio.Task[None]] = set()
        registry = telemetry.registry
        self._refused = Counter("desk_registry_refused", "Look-ups refused", ["budget"], registry=registry)
        self._fan_outs = Counter(
            "desk_registry_fan_outs", "Sources that asked for suspiciously many numbers", registry=registry
        )

    async def reserve(self, number_index: str, source_index: str, level: int) -> Reservation:
        """Reserve a look-up before it is made; call :meth:`release` unless it is a mismatch, and then :meth:`end`.

        ``level`` is that of the caller's proof of work. Raises ProofRequiredError if the source has had its look-ups or
        mismatches, RateLimitExceededError if the whole service has, or ServiceUnavailableError.
        """
        if await self._fan_out.add(number_index, source_index):
            self._report_fan_out(source_index)
        deadline = time.monotonic() + BUSY_SECONDS
        while True:
            try:
                reservation = await self._count(source_index, level)
            except ProofRequiredError as error:
                if not self._in_progress[source_index] or time.monotonic() >= deadline:
                    self._count_refusal(error)
                    self._rate_limits.count_proof(error)
                    raise
                await asyncio.sleep(BUSY_PAUSE_SECONDS)
            except RateLimitExceededError as error:
                self._count_refusal(error)
                raise
            else:
                self._in_progress[source_index] += 1
                return reservation

    async def _count(self, source_index: str, level: int) -> Reservation:
        limits = self._limits
        counted = await self._rate_limits.reserve_all(
            Attempt(limits.mismatches_per_source, "mismatches_per_source", source_index, proof=True),
            Attempt(limits.lookups_per_source, "lookups_per_source", source_index, proof=True),
            Attempt(limits.lookups_of_service, "lookups_of_service", "all"),
            level=level,
            waits=True,
        )
        return counted.only("mismatches_per_source")

    def _count_refusal(self, error: DomainError) -> None:
        self._refused.labels(str(error).partition(" ")[0]).inc()

    def _report_fan_out(self, source_index: str) -> None:
        self._fan_outs.inc()
        log.error("fan-out: many numbers from one source", source=source_index[:12], most=self._fan_out.most)

    def end(self, source_index: str) -> None:
        """Report the end of a look-up."""
        self._in_progress[source_index] -= 1
        if not self._in_progress[source_index]:
            del self._in_progress[source_index]

    async def release(self, reservation: Reservation) -> None:
        """Take back a look-up that was not a mismatch, in the background. If that fails, it counts as one."""
        releasing = asyncio.create_task(self._release(reservation))
        self._releasing.add(releasing)  # the event loop itself holds tasks only weakly
        releasing.add_done_callback(self._releasing.discard)

    async def _release(self, reservation: Reservation) -> None:
        try:
            await self._rate_limits.release(reservation)
        except ServiceUnavailableError as error:
            log.warning("look-up counts as a mismatch, because it was not released", error=str(error))

    async def close(self) -> None:
        """Wait for the releases in progress."""
        await asyncio.gather(*self._releasing)
