"""Deletes old records of processed events, old drafts and old entries of the audit log every hour."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from sqlalchemy.exc import SQLAlchemyError

from desk.console.encryption import Encryption
from desk.console.service.drafts import COUNTER
from desk.console.store.audit import ALL_PROVINCES, AuditStore, audit_chain
from desk.console.store.cases import CaseStore
from desk.console.store.drafts import DraftStore
from desk.database import ChainBrokenError, Database, DatabaseSession
from desk.iran.workdays import WorkCalendar

log = logging.getLogger(__name__)

KEPT, DRAFTS_KEPT = timedelta(days=60), timedelta(days=14)
COUNTER_KEPT = timedelta(days=1)
"""A form of the counter has a person's data, and the person comes again or not on that day."""
PAUSE_SECONDS = 3600.0


async def prune_old_rows(
    database: Database, encryption: Encryption, clock: Callable[[], datetime], audit_days: int
) -> None:
    """Prune until cancelled; a failure is retried after the pause. ``audit_days`` is the term of the audit log."""
    while True:
        with suppress(SQLAlchemyError):
            async with database.transaction() as session:
                await CaseStore(session, encryption, WorkCalendar()).prune(clock() - KEPT)
                await prune_drafts(DraftStore(session, encryption), clock())
            await prune_audit_log(database, encryption, clock() - timedelta(days=audit_days))
        await asyncio.sleep(PAUSE_SECONDS)


async def prune_drafts(drafts: DraftStore, now: datetime) -> None:
    """Remove drafts after their time."""
    await drafts.prune(now - DRAFTS_KEPT)
    await drafts.prune(now - COUNTER_KEPT, COUNTER)


async def prune_audit_log(database: Database, encryption: Encryption, before: datetime) -> None:
    """Delete the entries from before a moment, and record it. A broken log is left as it is, with a line in the log."""

    async def record(session: DatabaseSession, about: str) -> None:
        await AuditStore(session).add(datetime.now(UTC), ALL_PROVINCES, None, "audit_pruned", about=about)

    try:
        while (start := await audit_chain(encryption).prune(database, before, record)) is not None:
            log.info("audit log pruned: up to entry %d, which had the hash %s", start.seq, start.row_hash)
    except ChainBrokenError as error:
        log.error("the audit log is not pruned: %s; run desk-audit verify", error)  # noqa: TRY400 - no traceback needed
