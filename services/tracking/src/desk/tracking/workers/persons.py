"""Lets cases from before migration 0017 be listed for their applicants, once after the upgrade."""

import structlog

from desk.chassis.app import PeriodicTask
from desk.tracking.service import OwnRequests

log = structlog.get_logger(__name__)

BATCH = 100
PAUSE_SECONDS = 3600.0
"""An older replica may still add such cases during the upgrade."""


class PersonsTask(PeriodicTask):
    """Writes the hash of 100 cases in a call, in one transaction."""

    def __init__(self, own_requests: OwnRequests) -> None:
        super().__init__(self.index_batch, PAUSE_SECONDS)
        self._own_requests = own_requests

    async def index_batch(self) -> float | None:
        """Index one batch; return 0 if there may be more, so that the next call comes at once."""
        cases = await self._own_requests.index_older(BATCH)
        if cases:
            log.info("cases indexed", cases=cases)
        return 0 if cases == BATCH else None
