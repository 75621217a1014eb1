"""Adds cases whose figures no longer change to the roll-up, every hour."""

import structlog
from prometheus_client import CollectorRegistry, Counter

from desk.chassis.app import PeriodicTask
from desk.tracking.service import Figures

log = structlog.get_logger(__name__)

SETTLED_BATCH, UNREAD_BATCH = 500, 50
PAUSE_SECONDS = 3600.0


class FiguresTask(PeriodicTask):
    """Counts up to 500 cases in a call, in one transaction, after it has read those from before figures."""

    def __init__(self, figures: Figures, registry: CollectorRegistry) -> None:
        super().__init__(self.count_batch, PAUSE_SECONDS)
        self._figures = figures
        self._counted = Counter("desk_cases_counted", "Cases added to the roll-up of figures", registry=registry)

    async def count_batch(self) -> float | None:
        """Count one batch; return 0 if there may be more, so that the next call comes at once."""
        if await self._figures.read_unread(UNREAD_BATCH):
            return 0
        cases = await self._figures.count_settled(SETTLED_BATCH)
        self._counted.inc(cases)
        if cases:
            log.info("figures counted", cases=cases)
        return 0 if cases == SETTLED_BATCH else None
