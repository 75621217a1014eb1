"""Forgetting: outbox rows that were sent and inbox rows that can hardly come again go after a week."""

import asyncio
from datetime import timedelta

import structlog

from desk.chassis.db import Database
from desk.chassis.events import prune

log = structlog.get_logger(__name__)

KEEP = timedelta(days=7)
"""Longer than any delivery takes; what lies in the dead letters beyond it must be replayed knowingly."""
EVERY_SECONDS = 3600.0


class Pruning:
    """Prunes one service's outbox and inbox, once an hour."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._finishing = asyncio.Event()

    def finish(self) -> None:
        """End after the round that is under way."""
        self._finishing.set()

    async def run(self) -> None:
        """Prune until :meth:`finish`."""
        while not self._finishing.is_set():
            async with self._database.transaction() as session:
                gone = await prune(session, KEEP)
            if gone:
                log.info("old events forgotten", rows=gone)
            try:
                async with asyncio.timeout(EVERY_SECONDS):
                    await self._finishing.wait()
            except TimeoutError:
                continue
