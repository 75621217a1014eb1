"""registry-gateway with a registry that counts, or with the simulated registry over HTTP."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import fakeredis
import pytest
from fastapi import FastAPI
from sqlalchemy import Row
from support.logs import logged, use_plain_log  # noqa: F401 - a fixture
from support.registry_gateway import (
    Post,
    SpyRegistry,
    audit_of,
    begin_ledger,
    body_of,
    new_settings,
    over_http_settings,
    parts_with,
    poster_of,
    running_gateway,
)
from support.registry_simulator import PASSWORD, Simulator, serving

from desk.chassis.crypto import Vault, new_secret
from desk.database import Database
from desk.registry_gateway.adapters.simulator import Person, people
from desk.registry_gateway.app import Parts
from desk.registry_gateway.settings import Settings
from desk.registry_simulator.app import create_app as create_simulator
from desk.registry_simulator.settings import Settings as SimulatorSettings
from desk.testing.databases import copy_of, empty_tables, migrated_database, migrated_file
from desk.testing.postgres import PostgresServer


@pytest.fixture(scope="session", autouse=True)
def _log() -> None:
    use_plain_log()


@pytest.fixture(autouse=True)
def _long_redis_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    """Allow many callers in one process on a busy machine."""
    monkeypatch.setattr("desk.security.rate_limits.CALL_SECONDS", 60.0)


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Migrate an SQLite database once; each test gets a copy."""
    return migrated_file(tmp_path_factory.mktemp("migrated"), "desk.registry_gateway")


@pytest.fixture
def settings(migrated_sqlite: Path, tmp_path: Path) -> Settings:
    return new_settings(copy_of(migrated_sqlite, tmp_path / "registry.db"))


@pytest.fixture
def redis_inside() -> fakeredis.FakeServer:
    return fakeredis.FakeServer()


@pytest.fixture
def registry() -> SpyRegistry:
    spy = SpyRegistry()
    spy.answering.set()
    return spy


@pytest.fixture
def parts(settings: Settings, registry: SpyRegistry, real: Callable[[Settings], Parts]) -> Parts:
    return replace(real(settings), registry=registry)


@pytest.fixture
async def app(settings: Settings, parts: Parts) -> AsyncIterator[FastAPI]:
    async with running_gateway(settings, parts) as app:
        yield app


@pytest.fixture
def running() -> Callable[..., AbstractAsyncContextManager[FastAPI]]:
    """Return a context manager that runs a gateway."""
    return running_gateway


@pytest.fixture
def poster() -> Callable[[FastAPI], Post]:
    """Return a function that returns a client function of a gateway."""
    return poster_of


@pytest.fixture
def gateway(real: Callable[[Settings], Parts]) -> Callable[..., AbstractAsyncContextManager[FastAPI]]:
    """Run a gateway with real parts, with some settings changed."""

    def gateway(settings: Settings, **changed: Any) -> AbstractAsyncContextManager[FastAPI]:
        settings = settings.model_copy(update=changed)
        return running_gateway(settings, real(settings))

    return gateway


@pytest.fixture
def post(app: FastAPI) -> Post:
    return poster_of(app)


@pytest.fixture
def audit(app: FastAPI) -> Callable[[], Awaitable[list[Row[Any]]]]:
    """Return a function that returns the look-ups in the ledger."""
    return partial(audit_of, app)


@pytest.fixture(scope="session")
def simulator_server() -> Iterator[Simulator]:
    with serving(create_simulator(SimulatorSettings(password=PASSWORD, control=True))) as url:
        yield Simulator(url)


@pytest.fixture
async def simulator(simulator_server: Simulator) -> AsyncIterator[Simulator]:
    await simulator_server.turn()
    yield simulator_server
    await simulator_server.turn()


@pytest.fixture(params=["soap", "rest"])
def over_http(request: pytest.FixtureRequest, settings: Settings, simulator: Simulator) -> Settings:
    """Settings of a gateway that calls the simulator over HTTP."""
    return over_http_settings(settings, simulator, request.param)


@pytest.fixture
def real(redis_inside: fakeredis.FakeServer) -> Callable[[Settings], Parts]:
    """Build real parts with a Redis in the process."""
    return partial(parts_with, redis_inside)


@pytest.fixture(scope="session")
def migrated_url(postgres_server: PostgresServer) -> str:
    """Migrate a PostgreSQL database once; each test gets its tables empty."""
    return migrated_database(postgres_server, "desk.registry_gateway")


@pytest.fixture(params=["sqlite", "postgresql"])
async def ledger_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the address of a migrated database on each kind of server."""
    if request.param == "postgresql":
        return str(request.getfixturevalue("migrated_url"))
    return copy_of(request.getfixturevalue("migrated_sqlite"), tmp_path / "ledger.db")


@pytest.fixture
async def ledger_database(ledger_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Database]:
    """A database as the migrations leave it: no look-ups, and a head without a seal."""
    monkeypatch.setattr("desk.database.engines.CONNECT_SECONDS", 60)
    database = Database(ledger_url)
    if database.engine.name == "postgresql":
        await empty_tables(database)
        await begin_ledger(database)
    yield database
    await database.close()


@pytest.fixture
def vault() -> Vault:
    return Vault.from_text(f"k1:{new_secret()}", new_secret())


@pytest.fixture
def living() -> Person:
    return next(person for person in people() if not person.deceased)


@pytest.fixture
def deceased() -> Person:
    return next(person for person in people() if person.deceased)


@pytest.fixture
def ask() -> Callable[..., dict[str, str]]:
    return body_of


@pytest.fixture
def wrong(living: Person, ask: Callable[..., dict[str, str]]) -> dict[str, str]:
    """Return the number of a person with another birth date."""
    return ask(living, birth_date="1350-01-01")


@pytest.fixture
def unknown(wrong: dict[str, str]) -> dict[str, str]:
    """Return a valid number of no person."""
    return wrong | {"national_id": "8275737168"}
