"""Engines for PostgreSQL and SQLite, with bounds in time and connections."""

import asyncio
import sqlite3
import ssl
from contextlib import suppress

import aiosqlite
from sqlalchemy import Connection, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

READ_ONLY = "desk_read_only"
"""Execution option of a connection whose transaction only reads."""

VERIFY_FULL = "verify-full"
CONNECT_SECONDS = 2
POOL_RECYCLE_SECONDS = 1800
IDLE_IN_TRANSACTION_MS = 30_000
SQLITE_LOCK_SECONDS = 30
SQLITE_PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",  # a tracking code that was shown must survive a power cut
    "foreign_keys=ON",
    "cache_size=-65536",  # KiB
)


def postgres_engine(url: str, pool_size: int, pool_timeout: float, statement_seconds: float | None) -> AsyncEngine:
    """Return an engine for PostgreSQL; times are in seconds, ``statement_seconds`` None means no limit.

    With ``?ssl=verify-full`` the server's certificate and name are verified against the authorities of the system, or
    those in the file that ``SSL_CERT_FILE`` names. Raises ValueError for another value, which would verify less.
    """
    address = make_url(url)
    tls = address.query.get("ssl")
    if tls not in {None, VERIFY_FULL}:
        raise ValueError(f"the database's address may say ssl={VERIFY_FULL}, or nothing about it")
    engine = create_async_engine(
        address.difference_update_query(["ssl"]),
        pool_size=pool_size,
        max_overflow=0,
        hide_parameters=True,  # parameters are personal data, and errors are logged
        pool_timeout=pool_timeout,
        pool_recycle=POOL_RECYCLE_SECONDS,
        connect_args={
            "timeout": CONNECT_SECONDS,
            **({"ssl": ssl.create_default_context()} if tls else {}),
            "command_timeout": statement_seconds,
            "server_settings": {
                "statement_timeout": str(int((statement_seconds or 0) * 1000)),  # 0 means none
                "idle_in_transaction_session_timeout": str(IDLE_IN_TRANSACTION_MS),
                # A cached plan saves a third of the CPU time of a statement. One from when a table was small would
                # scan the whole table once it has grown, until the next ANALYZE, so scans are the last resort.
                "enable_seqscan": "off",
                "jit": "off",  # it would compile plans with a scan, which seem to be expensive now
            },
        },
    )

    @event.listens_for(engine.sync_engine, "checkout")
    def _require_open(connection: DBAPIConnection, _record: ConnectionPoolEntry, _proxy: PoolProxiedConnection) -> None:
        # The driver knows without a round trip that the server closed the connection, for example by a restart.
        if connection.driver_connection.is_closed():
            raise DisconnectionError

    return engine


def sqlite_engine(url: str) -> AsyncEngine:
    """Return an engine for SQLite in WAL mode, whose writing transactions begin with BEGIN IMMEDIATE."""
    # SQLite retries for its lock at random intervals, so under contention some callers wait long.
    engine = create_async_engine(url, hide_parameters=True, connect_args={"timeout": SQLITE_LOCK_SECONDS})

    @event.listens_for(engine.sync_engine, "connect")
    def _configure(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # SQLAlchemy begins transactions, see _begin
        cursor = connection.cursor()
        for pragma in SQLITE_PRAGMAS:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    rolling_back = set[asyncio.Task[None]]()

    @event.listens_for(engine.sync_engine, "invalidate")
    def _roll_back(connection: DBAPIConnection, _record: ConnectionPoolEntry, _error: BaseException | None) -> None:
        # A cancelled caller leaves a statement half executed. SQLite closes such a connection, and releases its lock,
        # only after Python has collected the statement. So the transaction ends here, before the pool closes it.
        task = asyncio.ensure_future(_end_transaction(connection.driver_connection))
        rolling_back.add(task)
        task.add_done_callback(rolling_back.discard)

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: Connection) -> None:
        # A deferred transaction that turns from reading to writing fails under contention instead of waiting.
        reads = connection.get_execution_options().get(READ_ONLY, False)
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")

    return engine


async def _end_transaction(driver: aiosqlite.Connection) -> None:
    with suppress(ValueError, sqlite3.Error):  # already closed, and its transaction with it
        await driver.rollback()
