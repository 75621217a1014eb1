"""Pruning: deletes outbox rows that were sent and inbox rows that cannot be delivered again, after a week."""

from datetime import timedelta

import structlog

from desk.chassis.app.periodic import PeriodicTask
from desk.chassis.events import prune
from desk.database import Database

log = structlog.get_logger(__name__)

KEEP = timedelta(days=7)
"""Longer than any delivery takes. An older dead letter is replayed at the operator's own risk of a second effect."""
EVERY_SECONDS = 3600.0


class Pruning(PeriodicTask):
    """Prunes one service's outbox and inbox, once an hour."""

    def __init__(self, database: Database) -> None:
        super().__init__(self._prune, EVERY_SECONDS)
        self._database = database

    async def _prune(self) -> None:
        async with self._database.transaction() as session:
            rows = await prune(session, KEEP)
        if rows:
            log.info("old events deleted", rows=rows)
