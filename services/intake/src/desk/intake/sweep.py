"""Forgets the files that no request has claimed."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import structlog

from desk.chassis.crypto import Vault
from desk.chassis.storage import ObjectStore, ObjectStoreUnavailableError
from desk.database import Database
from desk.intake.store import AttachmentStore

log = structlog.get_logger(__name__)

UNCLAIMED_FOR = timedelta(hours=24)
"""How long a file waits for its request, or for the reply that names it."""
PROMISED_FOR = timedelta(days=30)
"""How long a file waits for its reply to be announced: longer than any broker is away."""
BATCH = 20
PAUSE_SECONDS = 600.0


class Sweep:
    """Removes objects and rows of files that nobody has claimed in time. Any number may run at once."""

    def __init__(self, database: Database, vault: Vault, storage: ObjectStore) -> None:
        self._database = database
        self._vault = vault
        self._storage = storage
        self._finishing = asyncio.Event()

    def finish(self) -> None:
        """End after the batch that is under way."""
        self._finishing.set()

    async def run(self) -> None:
        """Sweep every ten minutes until :meth:`finish`; errors of the database end the call."""
        while not self._finishing.is_set():
            if await self._forget_batch() < BATCH:
                with suppress(TimeoutError):
                    async with asyncio.timeout(PAUSE_SECONDS):
                        await self._finishing.wait()

    async def _forget_batch(self) -> int:
        """Objects go before their rows, which are locked meanwhile: what is interrupted, the next sweep finds again."""
        try:
            async with self._database.transaction() as session:
                store = AttachmentStore(session, self._vault)
                now = datetime.now(UTC)
                old = await store.unclaimed_before(now - UNCLAIMED_FOR, now - PROMISED_FOR, BATCH)
                for file_id in old:
                    await self._storage.delete(file_id)
                await store.forget(old)
        except ObjectStoreUnavailableError:
            log.warning("sweep put off: the object store is away")
            return 0
        return len(old)
