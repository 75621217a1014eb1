"""Erases cases whose term is over, and counts missing acknowledgements, every five minutes."""

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge

from desk.chassis.app import PeriodicTask
from desk.chassis.problem import ServiceUnavailableError
from desk.tracking.service import Erasures

log = structlog.get_logger(__name__)

BATCH = 50
PAUSE_SECONDS = 300.0


class ErasureTask(PeriodicTask):
    """Erases up to 50 cases in a call, each in its own transaction."""

    def __init__(self, erasures: Erasures, registry: CollectorRegistry) -> None:
        super().__init__(self.erase_batch, PAUSE_SECONDS)
        self._erasures = erasures
        self._erased = Counter("desk_cases_erased", "Cases erased because their term is over", registry=registry)
        self._overdue = Gauge(
            "desk_erasures_unacknowledged", "Acknowledgements missing for more than seven days", registry=registry
        )

    async def erase_batch(self) -> float | None:
        """Erase one batch; return 0 if there may be more, so that the next call comes at once."""
        self._overdue.set(await self._erasures.count_overdue())
        try:
            for _ in range(BATCH):
                if self.finishing or not await self._erasures.erase_next_due():
                    return None
                self._erased.inc()
        except ServiceUnavailableError:
            log.warning("cases are not erased: intake cannot list them now")
            return None
        return 0
