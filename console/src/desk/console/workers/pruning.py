"""Deletes old records of processed events and old drafts every hour."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

from sqlalchemy.exc import SQLAlchemyError

from desk.console.encryption import Encryption
from desk.console.store.cases import CaseStore
from desk.console.store.drafts import DraftStore
from desk.database import Database
from desk.iran.workdays import WorkCalendar

KEPT, DRAFTS_KEPT = timedelta(days=60), timedelta(days=14)
PAUSE_SECONDS = 3600.0


async def prune_old_rows(database: Database, encryption: Encryption, clock: Callable[[], datetime]) -> None:
    """Prune until cancelled; a failure is retried after the pause."""
    while True:
        with suppress(SQLAlchemyError):
            async with database.transaction() as session:
                await CaseStore(session, encryption, WorkCalendar()).prune(clock() - KEPT)
                await DraftStore(session, encryption).prune(clock() - DRAFTS_KEPT)
        await asyncio.sleep(PAUSE_SECONDS)
