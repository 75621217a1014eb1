"""Fixtures: a store with an outbox, an inbox and a table of effects, a movable clock, and the log.

Tests that use the store run on SQLite and on PostgreSQL.
"""

import asyncio
import io
import logging
import sys
import threading
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import httpx
import pytest
import structlog
from fastapi import FastAPI
from sqlalchemy import Column, ForeignKey, Integer, MetaData, String, Table, insert, select

import desk.chassis.events
from desk.chassis.crypto import Vault
from desk.chassis.event_tables import add_event_tables
from desk.chassis.events import Event, Outbox
from desk.chassis.telemetry import Telemetry
from desk.database import Database, DatabaseSession, new_metadata
from desk.security.logs import configure_logging
from desk.testing.event_keys import encryptor_for
from desk.testing.postgres import PostgresServer


class ThingMade(Event):
    """An event of an imaginary service."""

    name: ClassVar[str] = "thing-made"
    receivers: ClassVar[tuple[str, ...]] = ("made", "{key}")

    label: str
    made_at: desk.chassis.events.Moment | None = None


class Store:
    """A service's store under test: its database, its tables, and the events it publishes."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.folder = folder
        self.database = Database(url)
        self.outbox = Outbox("/desk/maker", encryptor_for("made", "north"))
        self.metadata: MetaData = new_metadata()
        add_event_tables(self.metadata)
        self.effects = Table("effect", self.metadata, Column("label", String(200), primary_key=True))
        self.promises = Table(
            "promise",
            self.metadata,
            Column("id", Integer, primary_key=True),
            Column("label", String(200), ForeignKey("effect.label", deferrable=True, initially="DEFERRED")),
        )

    async def open(self) -> None:
        async with self.database.engine.begin() as connection:
            await connection.run_sync(self.metadata.create_all)

    async def add_event(self, label: str = "first", *, key: str = "north", seq: int = 1) -> str:
        async with self.database.transaction() as session:
            return await self.outbox.add(session, ThingMade(label=label), subject="s-1", key=key, seq=seq)

    async def publish_many(self, count: int) -> None:
        async with self.database.transaction() as session:
            for number in range(count):
                await self.outbox.add(session, ThingMade(label=str(number)), subject="s-1", key="north", seq=1)

    async def add_effect(self, session: DatabaseSession, label: str) -> None:
        await session.execute(insert(self.effects).values(label=label))

    async def add_promise(self, session: DatabaseSession, label: str) -> None:
        """Add a row whose commit fails unless there is an effect of this name."""
        await session.execute(insert(self.promises).values(label=label))

    async def rows(self, query: Any) -> list[Any]:
        async with self.database.transaction() as session:
            return list((await session.execute(query)).all())

    async def labels(self) -> list[str]:
        return sorted(row.label for row in await self.rows(select(self.effects)))

    @property
    def dialect(self) -> str:
        return self.database.engine.dialect.name

    async def written(self) -> bytes:
        """Return everything stored: every byte of the file and its write-ahead log, or every row of the server."""
        if self.dialect == "sqlite":
            return b"".join(each.read_bytes() for each in self.folder.glob("maker.db*"))
        rows = [row for table in self.metadata.sorted_tables for row in await self.rows(select(table))]
        values = [value for row in rows for value in row]
        return b"".join(value if isinstance(value, bytes) else str(value).encode() for value in values)

    async def close(self) -> None:
        if self.dialect == "postgresql":  # the server is shared
            async with self.database.engine.begin() as connection:
                await connection.run_sync(self.metadata.reflect)
                await connection.run_sync(self.metadata.drop_all)
        await self.database.close()


class Clock(datetime):
    """The clock of the outbox, which a test can move."""

    ahead = timedelta()

    @classmethod
    def now(cls, tz: Any = None) -> datetime:
        return datetime.now(tz) + cls.ahead

    @classmethod
    def advance(cls, **by: float) -> None:
        cls.ahead += timedelta(**by)


Until = Callable[[Callable[[], Awaitable[bool]]], Awaitable[None]]


@pytest.fixture
def until() -> Until:
    """Wait until a condition is true; fail after ten seconds."""

    async def until(condition: Callable[[], Awaitable[bool]]) -> None:
        async with asyncio.timeout(10):
            while not await condition():  # noqa: ASYNC110 - the condition has no event
                await asyncio.sleep(0.01)

    return until


@pytest.fixture
def thing_made() -> type[ThingMade]:
    return ThingMade


@pytest.fixture
def vault() -> Vault:
    return Vault({"k1": b"k" * 32}, b"i" * 32)


@pytest.fixture
def telemetry() -> Telemetry:
    return Telemetry("maker")


@pytest.fixture
async def quiet(until: Until) -> AsyncIterator[None]:
    """Keep the loop running until the threads of aborted connections have ended."""
    yield

    async def threads_are_gone() -> bool:
        return not any("connection_worker" in thread.name for thread in threading.enumerate())

    await until(threads_are_gone)


@pytest.fixture(scope="session")
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """A database of this suite's own."""
    name = f"maker-{uuid.uuid4().hex[:8]}"
    yield postgres_server.create_database(name, name, "maker")
    postgres_server.drop_database(name)


@pytest.fixture(params=["sqlite", "postgresql"])
async def store(request: pytest.FixtureRequest, tmp_path: Path, quiet: None) -> AsyncIterator[Store]:
    on_file = request.param == "sqlite"
    url = f"sqlite+aiosqlite:///{tmp_path / 'maker.db'}" if on_file else request.getfixturevalue("postgres_url")
    store = Store(url, tmp_path)
    await store.open()
    yield store
    await store.close()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> type[Clock]:
    monkeypatch.setattr(desk.chassis.events, "datetime", Clock)
    monkeypatch.setattr(Clock, "ahead", timedelta())
    return Clock


Started = Callable[[FastAPI], AbstractAsyncContextManager[httpx.AsyncClient]]


@pytest.fixture
def started() -> Started:
    """Start an app and return a client for it."""

    @asynccontextmanager
    async def start(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://maker") as client,
        ):
            yield client

    return start


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], str]]:
    """Return the log so far, from level DEBUG, in the format that operators see."""
    written = io.StringIO()
    monkeypatch.setattr(sys, "stderr", written)
    root = logging.getLogger()
    handlers, level, style = root.handlers, root.level, structlog.get_config()
    configure_logging("json", "DEBUG")
    yield written.getvalue
    root.handlers = handlers
    root.setLevel(level)
    structlog.configure(**style)
