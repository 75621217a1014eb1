"""A database and its transactions."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, cast

from sqlalchemy import CursorResult, Executable, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from desk.database.engines import READ_ONLY, postgres_engine, sqlite_engine
from desk.database.sessions import DatabaseSession

_NOTIFY = "notify after commit"


def notify_after_commit(session: DatabaseSession) -> None:
    """Call :attr:`Database.after_commit` once the work of this session is committed."""
    session.info[_NOTIFY] = True


class Database:
    """One database: PostgreSQL by ``postgresql+asyncpg://``, SQLite by ``sqlite+aiosqlite://``."""

    def __init__(
        self, url: str, *, pool_size: int = 10, pool_timeout: float = 5.0, statement_seconds: float | None = 3.5
    ) -> None:
        """Open nothing yet.

        ``pool_size`` bounds the connections. A request waits at most ``pool_timeout`` seconds for one. A statement is
        cancelled after ``statement_seconds``, before the pool times out, so that a server that hangs is noticed; None
        is for migrations, which may take longer.
        """
        embedded = url.startswith("sqlite")
        self.engine = (
            sqlite_engine(url) if embedded else postgres_engine(url, pool_size, pool_timeout, statement_seconds)
        )
        self._autocommit = None if embedded else self.engine.execution_options(isolation_level="AUTOCOMMIT")
        self._reading = self._autocommit or self.engine.execution_options(**{READ_ONLY: True})
        self.after_commit: list[Callable[[], None]] = []
        """Called after each commit that :func:`notify_after_commit` asked for. A hint for pollers, not a guarantee."""

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[DatabaseSession]:
        """Open a session that is committed at the end, or rolled back on any exception."""
        async with _committed(self.engine) as session:
            yield session
        self._notify(session)

    @asynccontextmanager
    async def one_write(self) -> AsyncIterator[DatabaseSession]:
        """Open a session that writes with one statement at most, which is committed by itself.

        It saves the round trips that begin and commit a transaction. On SQLite it is a transaction.
        """
        async with _committed(self._autocommit or self.engine) as session:
            yield session
        self._notify(session)

    def _notify(self, session: DatabaseSession) -> None:
        if session.info.get(_NOTIFY):
            for notify in self.after_commit:
                notify()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[DatabaseSession]:
        """Open a session that only reads.

        On PostgreSQL each statement sees what is committed when it begins, as in a transaction, whose begin and end
        would cost two more round trips. On SQLite it does not wait for a writer.
        """
        async with _committed(self._reading) as session:
            yield session

    @asynccontextmanager
    async def statements(self) -> AsyncIterator[AsyncConnection]:
        """Open a connection that commits each statement by itself, in one round trip.

        On SQLite, where every statement needs an explicit transaction, they are committed together at the end.
        """
        opened = self.engine.begin() if self._autocommit is None else self._autocommit.connect()
        async with opened as connection:
            yield connection

    async def execute_autocommit(self, statement: Executable, values: Mapping[str, Any]) -> int | None:
        """Execute one statement as a transaction of its own, in one round trip. Return the number of rows written.

        Return None without executing it on SQLite, where every statement needs an explicit transaction.
        """
        if self._autocommit is None:
            return None
        async with self._autocommit.connect() as connection:
            result = await connection.execute(statement, values)
            return cast("CursorResult[Any]", result).rowcount

    async def ping(self) -> None:
        """Make one round trip. Raises the driver's error if the database is unavailable."""
        async with self.read() as session:
            await session.execute(text("SELECT 1"))

    async def close(self) -> None:
        """Close all connections."""
        await self.engine.dispose()


@asynccontextmanager
async def _committed(engine: AsyncEngine) -> AsyncIterator[DatabaseSession]:
    session = DatabaseSession(engine)
    try:
        yield session
        await session.commit()
    finally:
        await session.close()
