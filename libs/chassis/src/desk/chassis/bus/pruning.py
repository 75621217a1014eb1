"""Pruning: deletes outbox rows that were sent and inbox rows that cannot be delivered again."""

import structlog

from desk.chassis.app.periodic import HousekeepingTask
from desk.chassis.events import prune
from desk.database import Database

log = structlog.get_logger(__name__)

BATCH = 1_000
"""Rows of each table in one transaction: some milliseconds, far below the time limit of a statement."""
EVERY_SECONDS = 600.0


class Pruning(HousekeepingTask):
    """Prunes one service's outbox and inbox, every ten minutes; any number of replicas may run it."""

    def __init__(self, database: Database) -> None:
        super().__init__(self.prune_batch, EVERY_SECONDS)
        self._database = database

    async def prune_batch(self) -> float | None:
        """Prune one batch; return 0 if there may be more, so that the next call comes at once."""
        async with self._database.transaction() as session:
            rows = await prune(session, BATCH)
        if rows:
            log.info("old events deleted", rows=rows)
        return 0 if rows == BATCH else None
