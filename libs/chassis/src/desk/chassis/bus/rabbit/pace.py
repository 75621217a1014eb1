"""How fast a queue is consumed whose messages come from outside."""

import asyncio
import time

import structlog

from desk.chassis.bus.broker import BURST_SECONDS

log = structlog.get_logger(__name__)

QUIET_SECONDS = 60.0
"""A queue over its pace is logged once in this time."""


class Pace:
    """A token bucket: so many messages a second, after a burst of those of :data:`BURST_SECONDS`."""

    def __init__(self, queue: str, per_second: float) -> None:
        self._queue = queue
        self._per_second = per_second
        self._free = self._burst = per_second * BURST_SECONDS
        self._filled_at = time.monotonic()
        self._logged_at = -QUIET_SECONDS

    async def wait_for_turn(self) -> bool:
        """Return when the next message may be handled; return whether it had to wait."""
        now = time.monotonic()
        self._free = min(self._burst, self._free + (now - self._filled_at) * self._per_second)
        self._filled_at = now
        self._free -= 1
        if self._free >= 0:
            return False
        if now - self._logged_at >= QUIET_SECONDS:
            self._logged_at = now
            log.warning("queue is over its pace and is throttled", queue=self._queue, per_second=self._per_second)
        await asyncio.sleep(-self._free / self._per_second)
        return True
