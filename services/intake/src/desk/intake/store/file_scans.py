"""Which files the malware scanner has still to examine, and what it has found."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Row, Table, func, select, update

from desk.chassis.crypto import Vault
from desk.database import DatabaseSession
from desk.intake.store.case_files import StoredFile, read_file, select_files
from desk.intake.store.tables import answer_file, attachment
from desk.security.data_keys import DecryptionError

log = structlog.get_logger(__name__)

LEASE = timedelta(minutes=2)
"""How long one attempt keeps a file from other replicas, and so how long until the next attempt."""


@dataclass(frozen=True, slots=True)
class FileToScan:
    """A file to examine, and the table that it is in."""

    stored: StoredFile
    table: str


class FileScanStore:
    """Reads and writes the scans of applicants' and offices' files."""

    def __init__(self, session: DatabaseSession, vault: Vault) -> None:
        self._session = session
        self._vault = vault

    async def claim(self, limit: int) -> list[FileToScan]:
        """Claim up to ``limit`` files of each table that are due; another attempt follows after the lease."""
        claimed = []
        for table in (attachment, answer_file):
            ids = await self._claim(table, limit)
            rows = (await self._session.execute(select_files(table).where(table.c.id.in_(ids)))).all()
            claimed += [found for row in rows if (found := self._readable(row, table.name)) is not None]
        return claimed

    def _readable(self, row: Row[Any], table: str) -> FileToScan | None:
        """Return a claimed file; None if its key is missing, for example after a restore: it stays pending."""
        try:
            return FileToScan(read_file(row, table, self._vault), table)
        except DecryptionError as error:
            log.warning(
                "file cannot be decrypted, it stays pending", object=row.object_key, reason=type(error).__name__
            )
            return None

    async def _claim(self, table: Table, limit: int) -> list[str]:
        now = datetime.now(UTC)
        due = (
            select(table.c.id)
            .where(table.c.scan_due_at <= now)
            .order_by(table.c.scan_due_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        claimed = update(table).where(table.c.id.in_(due.scalar_subquery())).values(scan_due_at=now + LEASE)
        return list((await self._session.execute(claimed.returning(table.c.id))).scalars())

    async def end(self, file: FileToScan, malware: str | None) -> None:
        """Record that a file is clean, or what was found in it."""
        table = attachment if file.table == attachment.name else answer_file
        ended = update(table).where(table.c.id == file.stored.file.id).values(scan_due_at=None, malware=malware)
        await self._session.execute(ended)

    async def count_pending(self) -> int:
        """Count the files that have not been examined."""
        counts = [
            (await self._session.execute(select(func.count()).where(table.c.scan_due_at.is_not(None)))).scalar_one()
            for table in (attachment, answer_file)
        ]
        return sum(counts)
