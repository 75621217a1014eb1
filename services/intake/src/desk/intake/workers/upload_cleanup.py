"""Deletes files that were not claimed in time."""

from datetime import UTC, datetime, timedelta

import structlog

from desk.chassis.crypto import Vault
from desk.chassis.storage import ObjectStore, ObjectStoreUnavailableError
from desk.database import Database
from desk.intake.store import AttachmentStore

log = structlog.get_logger(__name__)

UNCLAIMED_FOR = timedelta(hours=24)
"""How long a file is kept for a request, or for a reply."""
PROMISED_FOR = timedelta(days=30)
"""How long a promised file is kept until its reply is published: longer than any outage of the broker."""
BATCH = 20
PAUSE_SECONDS = 600.0


class UploadCleanup:
    """Deletes objects and rows of unclaimed files."""

    def __init__(self, database: Database, vault: Vault, storage: ObjectStore) -> None:
        self._database = database
        self._vault = vault
        self._storage = storage

    async def run_once(self) -> float | None:
        """Delete one batch; return 0 if there may be another one."""
        return 0 if await self.delete_batch() == BATCH else None

    async def delete_batch(self) -> int:
        """Delete up to ``BATCH`` files and return how many were deleted.

        Objects are deleted before their rows, which stay locked meanwhile: after an interruption the next batch
        includes them again.
        """
        try:
            async with self._database.transaction() as session:
                store = AttachmentStore(session, self._vault)
                now = datetime.now(UTC)
                expired = await store.unclaimed_before(now - UNCLAIMED_FOR, now - PROMISED_FOR, BATCH)
                for object_key in expired.values():
                    await self._storage.delete(object_key)
                await store.delete(list(expired))
        except ObjectStoreUnavailableError:
            log.warning("upload cleanup postponed: object store unavailable")
            return 0
        return len(expired)
