"""Keeps the pools full."""

from desk.captcha.service import Pool
from desk.chassis.app import PeriodicTask

PAUSE_SECONDS = 1.0
"""How often a full pool is counted: another replica may have taken challenges from it."""


class PoolTask(PeriodicTask):
    """Fills the pools whenever challenges were taken, and at least once a second."""

    def __init__(self, pool: Pool) -> None:
        super().__init__(self.fill, PAUSE_SECONDS)
        self._pool = pool
        pool.after_use.append(self.wake)

    async def fill(self) -> float | None:
        """Fill once; return 0 if challenges may still be missing, so that the next call comes at once."""
        return 0 if await self._pool.fill() else None
