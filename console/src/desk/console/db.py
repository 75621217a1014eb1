"""The console's database: one request or one event is one transaction, and only this room commits."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import aiosqlite
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, DateTime, Dialect, MetaData, Table, event, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.types import TypeDecorator

POOL_SIZE, POOL_SECONDS, STATEMENT_SECONDS = 10, 5.0, 5.0
_WAKE = "something to send"
_NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


def new_metadata() -> MetaData:
    """Table definitions with predictable names."""
    return MetaData(naming_convention=_NAMING)


class UtcDateTime(TypeDecorator[datetime]):
    """A moment in UTC; SQLite, which keeps no zone, gives it back as UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's signature
        return value.astimezone(UTC) if value is not None else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's signature
        return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value


def insert_into(session: AsyncSession, table: Table) -> postgresql.Insert | sqlite.Insert:
    """Begin an INSERT that can say ON CONFLICT, for this session's database."""
    return postgresql.insert(table) if session.get_bind().dialect.name == "postgresql" else sqlite.insert(table)


def wake_after_commit(session: AsyncSession) -> None:
    """Let the sender look at once when this is committed."""
    session.info[_WAKE] = True


class Database:
    """SQLite by ``sqlite+aiosqlite:///path``, PostgreSQL by ``postgresql+asyncpg://…``."""

    def __init__(self, url: str) -> None:
        self.engine = _sqlite(url) if url.startswith("sqlite") else _postgres(url)
        self._sessions = async_sessionmaker(self.engine, expire_on_commit=False)
        self.committed: list[Callable[[], None]] = []
        """Called after each commit that leaves something to send."""

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """Open a session whose work is committed as one, or rolled back on any exception."""
        async with self._sessions() as session, session.begin():
            yield session
        if session.info.get(_WAKE):
            for wake in self.committed:
                wake()

    @asynccontextmanager
    async def look(self) -> AsyncIterator[AsyncSession]:
        """Open a session that only reads, and waits for no writer."""
        async with self._sessions() as session:
            await session.connection(execution_options={"desk_reads": True})
            yield session

    async def ping(self) -> None:
        """Make one round trip; raises whatever the driver raises."""
        async with self.look() as session:
            await session.execute(text("SELECT 1"))

    async def close(self) -> None:
        """Give all connections back."""
        await self.engine.dispose()


def _postgres(url: str) -> AsyncEngine:
    return create_async_engine(
        url,
        pool_size=POOL_SIZE,
        max_overflow=0,
        pool_timeout=POOL_SECONDS,
        pool_pre_ping=True,
        hide_parameters=True,
        connect_args={
            "timeout": 2,
            "command_timeout": STATEMENT_SECONDS,
            # A plan that is kept from when a table was young reads all of it once it has grown.
            "server_settings": {"plan_cache_mode": "force_custom_plan"},
        },
    )


def _sqlite(url: str) -> AsyncEngine:
    engine = create_async_engine(url, hide_parameters=True, connect_args={"timeout": 10})

    @event.listens_for(engine.sync_engine, "connect")
    def _configure(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # SQLAlchemy begins, see below
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "cache_size=-65536"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    rolling_back = set[asyncio.Task[None]]()

    @event.listens_for(engine.sync_engine, "invalidate")
    def _roll_back(connection: DBAPIConnection, _record: ConnectionPoolEntry, _error: BaseException | None) -> None:
        # Who is broken off leaves a statement half done, and SQLite keeps the lock until Python has collected it.
        task = asyncio.ensure_future(_end_transaction(connection.driver_connection))
        rolling_back.add(task)
        task.add_done_callback(rolling_back.discard)

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: Connection) -> None:
        # A transaction that turns from reading to writing fails under contention instead of waiting.
        reads = connection.get_execution_options().get("desk_reads", False)
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")

    return engine


async def _end_transaction(driver: aiosqlite.Connection) -> None:
    with suppress(ValueError, sqlite3.Error):  # it is closed already, and so is its transaction
        await driver.rollback()


def migrations() -> Path:
    """Find the migrations: inside the installed package, or beside ``src/`` in a checkout."""
    home = Path(__file__).parent
    inside, beside = home / "migrations", home.parents[2] / "migrations"
    return inside if inside.is_dir() else beside


def alembic_config(url: str, connection: Connection | None = None) -> Config:
    """Give Alembic's configuration, without an ini file."""
    config = Config()
    config.set_main_option("script_location", str(migrations()).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes.update(url=url, connection=connection)
    return config


async def migrate(url: str) -> None:
    """Bring the database to the newest schema; does nothing where it is there already."""
    database = Database(url)
    try:
        async with database.engine.begin() as connection:
            await connection.run_sync(lambda sync: command.upgrade(alembic_config(url, sync), "head"))
    finally:
        await database.close()


def _render_type(kind: str, value: object, _context: object) -> str | Literal[False]:
    """Write a moment into a new migration as the plain type it is, so that no migration depends on our code."""
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(value, UtcDateTime) else False


def run_migrations(metadata: MetaData) -> None:
    """Do what ``migrations/env.py`` does: migrate over the given connection, or open one."""
    from alembic import context  # noqa: PLC0415 - Alembic's context exists only while its env runs

    def configure_and_run(connection: Connection) -> None:
        context.configure(connection=connection, target_metadata=metadata, compare_type=True, render_item=_render_type)
        with context.begin_transaction():
            context.run_migrations()

    given = context.config.attributes.get("connection")
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
