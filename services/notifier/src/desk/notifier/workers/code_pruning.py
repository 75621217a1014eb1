"""Deletes the messages of old security codes, every hour: no request they belong to ends their term."""

from datetime import UTC, datetime, timedelta

import structlog

from desk.chassis.app import HousekeepingTask
from desk.chassis.crypto import Vault
from desk.database import Database
from desk.notifier.store import ErasureStore

log = structlog.get_logger(__name__)

KEPT = timedelta(days=7)
"""A code expires after minutes. In a week it can be examined why one did not arrive."""
BATCH = 1_000
PAUSE_SECONDS = 3600.0


class CodePruning(HousekeepingTask):
    """Deletes the messages of codes after a week."""

    def __init__(self, database: Database, vault: Vault) -> None:
        super().__init__(self._prune, PAUSE_SECONDS)
        self._database, self._vault = database, vault

    async def _prune(self) -> float | None:
        async with self._database.transaction() as session:
            rows = await ErasureStore(session, self._vault).delete_codes(datetime.now(UTC) - KEPT, BATCH)
        if rows:
            log.info("old codes deleted", rows=rows)
        return 0 if rows == BATCH else None
