"""Acts on passed deadlines twice a minute."""

import structlog
from prometheus_client import CollectorRegistry, Counter

from desk.chassis.app import PeriodicTask
from desk.tracking.service import Deadlines

log = structlog.get_logger(__name__)

BATCH = 50
PAUSE_SECONDS = 30.0


class DeadlineTask(PeriodicTask):
    """Expires cases whose deadline has passed, up to 50 in one transaction."""

    def __init__(self, deadlines: Deadlines, registry: CollectorRegistry) -> None:
        super().__init__(self.expire_batch, PAUSE_SECONDS)
        self._deadlines = deadlines
        self._expired = Counter(
            "desk_cases_run_out", "Cases whose time has run out, by their state then", ["state"], registry=registry
        )

    async def expire_batch(self) -> float | None:
        """Expire one batch; return 0 if there may be more, so that the next call comes at once."""
        cases = await self._deadlines.expire_cases(BATCH)
        for case in cases:
            self._expired.labels(case.state.value).inc()
        if cases:
            log.info("deadlines passed", cases=len(cases))
        return 0 if len(cases) == BATCH else None
