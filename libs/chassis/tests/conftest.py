"""Fixtures: a store with an outbox, an inbox and a table of effects, a movable clock, and the log.

Tests that use the store run on SQLite and on PostgreSQL.
"""

import asyncio
import threading
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from support.logs import logged  # noqa: F401 - a fixture
from support.maker import Clock, Store, ThingMade

import desk.chassis.events
from desk.chassis.crypto import Vault
from desk.chassis.telemetry import Telemetry
from desk.testing.postgres import PostgresServer

Until = Callable[[Callable[[], Awaitable[bool]]], Awaitable[None]]


@pytest.fixture
def until() -> Until:
    """Wait until a condition is true; fail after a minute."""

    async def until(condition: Callable[[], Awaitable[bool]]) -> None:
        async with asyncio.timeout(60):
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
