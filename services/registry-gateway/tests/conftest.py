import asyncio
import base64
import io
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import fakeredis
import pytest
import structlog
from fastapi import FastAPI
from sqlalchemy import Row, insert, select
from support.registry_gateway import Post, SpyRegistry, poster_of, running_gateway
from support.registry_simulator import DEADLINE_SECONDS, PASSWORD, Simulator, serving

from desk.chassis.crypto import TokenReader, Vault, new_key_pair, new_secret
from desk.database import Database
from desk.registry_gateway.adapters.simulator import Person, people
from desk.registry_gateway.app import Parts, real_parts
from desk.registry_gateway.settings import Settings
from desk.registry_gateway.store import ledger_head, lookup
from desk.registry_simulator.app import create_app as create_simulator
from desk.registry_simulator.settings import Settings as SimulatorSettings
from desk.security.logs import configure_logging
from desk.testing.databases import copy_of, empty_tables, migrated_database, migrated_file
from desk.testing.health import get_health
from desk.testing.postgres import PostgresServer
from desk.testing.service_keys import key_pair, public_keys

PRIVATE_KEY, PUBLIC_KEY = new_key_pair()

Knobs = Callable[..., Awaitable[None]]


def _plain_log() -> None:
    """Log without structlog's formatted tracebacks, which take seconds each."""
    structlog.configure(processors=[structlog.processors.KeyValueRenderer()], cache_logger_on_first_use=False)


@pytest.fixture(scope="session", autouse=True)
def _log() -> None:
    _plain_log()


@pytest.fixture
def logged():
    """Log as a deployed service does, at level DEBUG; return a function that returns the log so far."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    configure_logging("json", "DEBUG")
    handler, _recent = root.handlers
    written = io.StringIO()
    handler.setStream(written)
    yield written.getvalue
    root.handlers, root.level = handlers, level
    _plain_log()


@pytest.fixture
def until() -> Callable[[Callable[[], bool]], Awaitable[None]]:
    """Wait until a condition holds; fail at the deadline."""

    async def until(condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(DEADLINE_SECONDS):
            while not condition():  # noqa: ASYNC110 - a spy has no event for every count
                await asyncio.sleep(0.01)

    return until


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
    return Settings(
        adapter="simulator",
        opens_at="00:00",
        closes_at="00:00",
        database_url=copy_of(migrated_sqlite, tmp_path / "registry.db"),
        vault_keys=f"k1:{new_secret()}",
        index_key=new_secret(),
        budget_url="unix://unused",
        service_private_key=key_pair("registry-gateway")[0],
        service_public_keys=public_keys("intake", "tracking"),
        captcha_url="http://captcha",
        require_proof=False,
        token_private_key=PRIVATE_KEY,
        lookups_per_source="60/hour",
        mismatches_per_number="7/hour",
        memory_seconds=0,
    )


@pytest.fixture
def redis_inside() -> fakeredis.FakeServer:
    return fakeredis.FakeServer()


@pytest.fixture
def registry() -> SpyRegistry:
    spy = SpyRegistry()
    spy.answering.set()
    return spy


@pytest.fixture
def parts(settings: Settings, registry: SpyRegistry, redis_inside: fakeredis.FakeServer) -> Parts:
    redis = fakeredis.FakeAsyncRedis(server=redis_inside, max_connections=1000)
    return replace(real_parts(settings), registry=registry, redis=redis)


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
def audit_of() -> Callable[[FastAPI], Awaitable[list[Row[Any]]]]:
    async def audit_of(app: FastAPI) -> list[Row[Any]]:
        async with app.state.services.identities._ledger._database.transaction() as session:
            return list((await session.execute(select(lookup).order_by(lookup.c.seq))).all())

    return audit_of


@pytest.fixture
def metrics_of() -> Callable[[FastAPI], Awaitable[str]]:
    async def metrics_of(app: FastAPI) -> str:
        return (await get_health(app, "/metrics")).text

    return metrics_of


@pytest.fixture
def audit(parts: Parts) -> Callable[[], Awaitable[list[Row[Any]]]]:
    async def audit() -> list[Row[Any]]:
        async with parts.database.transaction() as session:
            return list((await session.execute(select(lookup).order_by(lookup.c.seq))).all())

    return audit


@pytest.fixture(scope="session")
def simulator_server() -> Iterator[Simulator]:
    with serving(create_simulator(SimulatorSettings(password=PASSWORD, control=True))) as url:
        yield Simulator(url)


@pytest.fixture
async def simulator(simulator_server: Simulator) -> AsyncIterator[Simulator]:
    await simulator_server.turn()
    yield simulator_server
    await simulator_server.turn()


@pytest.fixture
def basic() -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"desk:{PASSWORD}".encode()).decode()}


@pytest.fixture(params=["soap", "rest"])
def over_http(request: pytest.FixtureRequest, settings: Settings, simulator: Simulator) -> Settings:
    """Settings of a gateway that calls the simulator over HTTP."""
    return settings.model_copy(
        update={
            "adapter": request.param,
            "registry_url": f"{simulator.url}/{request.param}",
            "registry_user": "desk",
            "registry_password": SimulatorSettings(password=PASSWORD).password,
        }
    )


@pytest.fixture
def real(settings: Settings, redis_inside: fakeredis.FakeServer) -> Callable[[Settings], Parts]:
    """Build real parts with a Redis in the process."""

    def real(settings: Settings) -> Parts:
        redis = fakeredis.FakeAsyncRedis(server=redis_inside, max_connections=1000)
        return replace(real_parts(settings), redis=redis)

    return real


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
        async with database.transaction() as session:
            await session.execute(insert(ledger_head).values(id=1, seq=0, row_hash="0" * 64, seal=""))
    yield database
    await database.close()


@pytest.fixture
def vault() -> Vault:
    return Vault.from_text(f"k1:{new_secret()}", new_secret())


@pytest.fixture
def tokens() -> TokenReader:
    return TokenReader(PUBLIC_KEY, issuer="registry-gateway", audience="desk.identity")


@pytest.fixture
def living() -> Person:
    return next(person for person in people() if not person.deceased)


@pytest.fixture
def deceased() -> Person:
    return next(person for person in people() if person.deceased)


@pytest.fixture
def ask() -> Callable[..., dict[str, str]]:
    """Return the body of a look-up of a person, with some values changed."""

    def ask(person: Person, **other: str) -> dict[str, str]:
        return {
            "national_id": person.identity.national_id.value,
            "birth_date": person.identity.birth_date.isoformat(),
            **other,
        }

    return ask


@pytest.fixture
def wrong(living: Person, ask: Callable[..., dict[str, str]]) -> dict[str, str]:
    """Return the number of a person with another birth date."""
    return ask(living, birth_date="1350-01-01")


@pytest.fixture
def unknown(wrong: dict[str, str]) -> dict[str, str]:
    """Return a valid number of no person."""
    return wrong | {"national_id": "8275737168"}
