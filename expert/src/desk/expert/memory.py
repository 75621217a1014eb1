"""The state that must survive a restart: handled events, and the running numbers of reports."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Protocol


class Memory(Protocol):
    """Implement it where you store your cases, or use :class:`SqliteMemory`."""

    async def handled(self, event_id: str) -> bool:
        """Return whether an event was handled before."""

    async def remember(self, event_id: str) -> None:
        """Record that an event was handled."""

    async def number(self, tracking_code: str, report_id: str) -> int:
        """Return the number of a report: one more than the case's last, and the same for the same report."""

    async def continue_from(self, tracking_code: str, seq: int) -> None:
        """Give the case's next report at least this number, which a refusal named: the file was lost or is old."""


class SqliteMemory:
    """A memory in one SQLite file. Several processes of one office may share it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with closing(self._connect()) as database, database:
            database.execute("CREATE TABLE IF NOT EXISTS handled (event_id TEXT PRIMARY KEY)")
            database.execute(
                "CREATE TABLE IF NOT EXISTS report (report_id TEXT PRIMARY KEY, tracking_code TEXT NOT NULL, "
                "seq INTEGER NOT NULL, UNIQUE (tracking_code, seq))"
            )

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self._path, timeout=30, isolation_level="IMMEDIATE")

    async def handled(self, event_id: str) -> bool:
        """Return whether an event was handled before."""
        return await asyncio.to_thread(self._handled, event_id)

    def _handled(self, event_id: str) -> bool:
        with closing(self._connect()) as database:
            return database.execute("SELECT 1 FROM handled WHERE event_id = ?", (event_id,)).fetchone() is not None

    async def remember(self, event_id: str) -> None:
        """Record that an event was handled."""
        await asyncio.to_thread(self._remember, event_id)

    def _remember(self, event_id: str) -> None:
        with closing(self._connect()) as database, database:
            database.execute("INSERT OR IGNORE INTO handled VALUES (?)", (event_id,))

    async def number(self, tracking_code: str, report_id: str) -> int:
        """Return the number of a report."""
        return await asyncio.to_thread(self._number, tracking_code, report_id)

    def _number(self, tracking_code: str, report_id: str) -> int:
        with closing(self._connect()) as database, database:
            database.execute(
                "INSERT OR IGNORE INTO report "
                "SELECT ?, ?, coalesce(max(seq), 0) + 1 FROM report WHERE tracking_code = ?",
                (report_id, tracking_code, tracking_code),
            )
            row = database.execute("SELECT seq FROM report WHERE report_id = ?", (report_id,)).fetchone()
        return int(row[0])

    async def continue_from(self, tracking_code: str, seq: int) -> None:
        """Give the case's next report at least this number."""
        await asyncio.to_thread(self._continue_from, tracking_code, seq)

    def _continue_from(self, tracking_code: str, seq: int) -> None:
        with closing(self._connect()) as database, database:
            last = (f"last before {seq}: {tracking_code}", tracking_code, seq - 1)
            database.execute("INSERT OR IGNORE INTO report VALUES (?, ?, ?)", last)
