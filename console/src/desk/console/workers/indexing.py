"""Indexes cases again, at the start, whose search index was made by earlier rules."""

import asyncio
import logging

from sqlalchemy.exc import SQLAlchemyError

from desk.console.encryption import Encryption
from desk.console.store.cases import CaseStore
from desk.console.store.search_index import SearchIndex
from desk.database import Database
from desk.iran.workdays import WorkCalendar

log = logging.getLogger(__name__)

BATCH_SIZE = 100
PAUSE_SECONDS = 5.0
"""After a failure, such as a case that an event indexed at the same moment."""


async def index_outdated_cases(database: Database, encryption: Encryption) -> None:
    """Index batch by batch until none is left."""
    while True:
        try:
            async with database.transaction() as session:
                cases = CaseStore(session, encryption, WorkCalendar())
                indexed = await SearchIndex(session, encryption, cases).index_outdated(BATCH_SIZE)
        except SQLAlchemyError as error:
            log.warning("cases could not be indexed: %s", type(error).__name__)
            await asyncio.sleep(PAUSE_SECONDS)
            continue
        if not indexed:
            return
        log.info("%d cases were indexed again", indexed)
