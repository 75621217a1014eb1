"""The relational store: one transaction per request or event, and the only place that commits."""

import asyncio
import importlib
import sqlite3
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal, cast

import aiosqlite
from alembic import command
from alembic.config import Config
from fastapi import Depends, Request
from sqlalchemy import Connection, CursorResult, DateTime, Dialect, Executable, MetaData, Table, event, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection
from sqlalchemy.types import TypeDecorator

_NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


def new_metadata() -> MetaData:
    """Table definitions of one service, with predictable names for every constraint."""
    return MetaData(naming_convention=_NAMING)


_HINT = "hint after commit"


def hint_after_commit(session: AsyncSession) -> None:
    """Wake those who poll this database once the session's work is committed: it leaves them something to do."""
    session.info[_HINT] = True


def insert_into(dialect: str, table: Table) -> postgresql.Insert | sqlite.Insert:
    """Begin an INSERT that can say ON CONFLICT, for the database of that dialect: ``session.get_bind().dialect``."""
    if dialect == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)


class UtcDateTime(TypeDecorator[datetime]):
    """A moment in UTC, aware on both sides; SQLite, which keeps no zone, gives it back as UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's signature
        if value is not None and value.tzinfo is None:
            raise ValueError("a moment without a time zone cannot be stored")
        return value.astimezone(UTC) if value is not None else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's signature
        if value is not None and value.tzinfo is None:
            return value.replace(tzinfo=UTC)
        return value


class Database:
    """One service's database: PostgreSQL by ``postgresql+asyncpg://``, embedded by ``sqlite+aiosqlite://``."""

    def __init__(
        self, url: str, *, pool_size: int = 10, pool_timeout: float = 5.0, statement_seconds: float | None = 3.5
    ) -> None:
        """``pool_size`` bounds the connections; a request waits at most ``pool_timeout`` seconds for one.

        A statement is given up after ``statement_seconds``, sooner than the pool, so that a server that hangs is
        noticed; None is for migrations, which may take their time.
        """
        embedded = url.startswith("sqlite")
        self.engine = (
            _sqlite_engine(url) if embedded else _postgres_engine(url, pool_size, pool_timeout, statement_seconds)
        )
        self._sessions = async_sessionmaker(self.engine, expire_on_commit=False)
        self._alone = None if embedded else self.engine.execution_options(isolation_level="AUTOCOMMIT")
        self.committed: list[Callable[[], None]] = []
        """Called after each commit that :func:`hint_after_commit` asked for: a hint for who polls, no guarantee."""

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """Open a session whose work is committed as one at the end, or rolled back on any exception."""
        async with self._sessions() as session, session.begin():
            yield session
        if session.info.get(_HINT):
            for hint in self.committed:
                hint()

    async def at_once(self, statement: Executable, values: Mapping[str, Any]) -> int | None:
        """Do one statement that is a transaction by itself, in one round trip; return how many rows it wrote.

        None, and nothing done, where that is not possible: SQLite begins every transaction by itself.
        """
        if self._alone is None:
            return None
        async with self._alone.connect() as connection:
            done = await connection.execute(statement, values)
            return cast("CursorResult[Any]", done).rowcount

    async def ping(self) -> None:
        """Make one round trip; raises whatever the driver raises."""
        async with self.engine.connect() as connection:
            await connection.execute(text("SELECT 1"))

    async def close(self) -> None:
        """Give all connections back."""
        await self.engine.dispose()


def _postgres_engine(url: str, pool_size: int, pool_timeout: float, statement_seconds: float | None) -> AsyncEngine:
    engine = create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        hide_parameters=True,  # parameters are personal data, and errors reach the log
        pool_timeout=pool_timeout,
        pool_recycle=1800,
        connect_args={
            "timeout": 2,
            "command_timeout": statement_seconds,
            "server_settings": {
                "statement_timeout": str(int((statement_seconds or 0) * 1000)),  # 0 means none
                "idle_in_transaction_session_timeout": "30000",
                # A plan that is kept from when a table was young reads all of it, for each id of a list.
                "plan_cache_mode": "force_custom_plan",
            },
        },
    )

    @event.listens_for(engine.sync_engine, "checkout")
    def _demand_open(connection: DBAPIConnection, _record: ConnectionPoolEntry, _proxy: PoolProxiedConnection) -> None:
        # The driver knows without asking that the server has left: a restart must not be met again by whoever comes
        # long after it.
        if connection.driver_connection.is_closed():
            raise DisconnectionError

    return engine


def _sqlite_engine(url: str) -> AsyncEngine:
    # SQLite lets who waits for its lock try again by chance, so that of many some wait long.
    engine = create_async_engine(url, hide_parameters=True, connect_args={"timeout": 30})

    @event.listens_for(engine.sync_engine, "connect")
    def _configure(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # SQLAlchemy begins, see below
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")  # a code shown must survive a power cut
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    rolling_back = set[asyncio.Task[None]]()

    @event.listens_for(engine.sync_engine, "invalidate")
    def _roll_back(connection: DBAPIConnection, _record: ConnectionPoolEntry, _error: BaseException | None) -> None:
        # Who is broken off leaves a statement half done. SQLite closes such a connection, and gives up its lock, only
        # once Python has collected that statement: so the transaction is ended here, before the pool closes it.
        task = asyncio.ensure_future(_end_transaction(connection.driver_connection))
        rolling_back.add(task)
        task.add_done_callback(rolling_back.discard)

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: Connection) -> None:
        # A deferred transaction that turns from reading to writing fails under contention instead of waiting.
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


async def _end_transaction(driver: aiosqlite.Connection) -> None:
    with suppress(ValueError, sqlite3.Error):  # it is closed already, and so is its transaction
        await driver.rollback()


async def _session(request: Request) -> AsyncIterator[AsyncSession]:
    database: Database = request.app.state.db
    async with database.transaction() as session:
        yield session


Session = Annotated[AsyncSession, Depends(_session, scope="function")]
"""One request, one transaction. Function scope: the commit comes before the answer, so a failing one is no 200."""


def migrations_of(package: str) -> Path:
    """Find a service's migrations: inside the installed package, or beside ``src/`` in a checkout."""
    home = Path(str(importlib.import_module(package).__file__)).parent
    for candidate in (home / "migrations", home.parents[2] / "migrations"):
        if candidate.is_dir():
            return candidate
    raise FileNotFoundError(f"no migrations folder for {package}")


def alembic_config(package: str, url: str, connection: Connection | None = None) -> Config:
    """Alembic's configuration for one service, without an ini file."""
    config = Config()
    config.set_main_option("script_location", str(migrations_of(package)).replace("%", "%%"))  # it interpolates
    config.set_main_option("path_separator", "os")
    config.attributes["url"] = url
    config.attributes["connection"] = connection
    return config


async def migrate(package: str, url: str) -> None:
    """Bring one service's database to the newest schema; does nothing where it is there already."""
    database = Database(url, statement_seconds=None)
    try:
        async with database.engine.begin() as connection:
            await connection.run_sync(
                lambda sync: command.upgrade(alembic_config(package, url, sync), "head"),
            )
    finally:
        await database.close()


def _render_type(kind: str, value: object, _context: object) -> str | Literal[False]:
    """Write a moment into a new migration as the plain type it is, so that no migration depends on our code."""
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(value, UtcDateTime) else False


def run_migrations(metadata: MetaData) -> None:
    """Do what every service's ``migrations/env.py`` does: migrate over the given connection, or open one."""
    from alembic import context  # noqa: PLC0415 - Alembic's context exists only while its env runs

    def configure_and_run(connection: Connection) -> None:
        context.configure(
            connection=connection,
            target_metadata=metadata,
            compare_type=True,
            render_item=_render_type,
        )
        with context.begin_transaction():
            context.run_migrations()

    given: Any = context.config.attributes.get("connection")
    if given is not None:
        configure_and_run(given)
        return

    async def connect() -> None:
        url = context.config.attributes.get("url") or context.config.get_main_option("sqlalchemy.url")
        database = Database(str(url))
        try:
            async with database.engine.begin() as connection:
                await connection.run_sync(configure_and_run)
        finally:
            await database.close()

    asyncio.run(connect())
