"""Intake on SQLite or PostgreSQL, with a captcha service, a registry, a broker and an object store that can fail."""

from collections.abc import AsyncIterator, Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
from support.intake_app import new_settings, running_intake
from support.intake_service import (
    ALI,
    HQ_PRIVATE_KEY,
    ISFAHAN_PRIVATE_KEY,
    PDF,
    QOM_PRIVATE_KEY,
    TRACKING_PRIVATE_KEY,
    ZAHRA,
    Desk,
)
from support.logs import logged, use_plain_log  # noqa: F401 - a fixture
from support.problems import problem_of

from desk.chassis.events import Outbox
from desk.chassis.telemetry import Telemetry
from desk.database import Database
from desk.intake.settings import Settings
from desk.intake.workers.identity_check import IdentityCheck
from desk.testing.databases import copy_of, empty_tables, migrated_database, migrated_file
from desk.testing.event_keys import encryptor_for
from desk.testing.postgres import PostgresServer

NOTHING = {"request": 0, "outbox": 0}


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Migrate one SQLite file; every test gets a copy."""
    return migrated_file(tmp_path_factory.mktemp("migrated"), "desk.intake")


@pytest.fixture(scope="session")
def migrated_postgresql(postgres_server: PostgresServer) -> str:
    """Migrate one PostgreSQL database; its tables are emptied before every test."""
    return migrated_database(postgres_server, "desk.intake")


@pytest.fixture(params=["sqlite", "postgresql"])
def database_kind(request: pytest.FixtureRequest) -> str:
    """Run the test on both databases; a module whose tests do not depend on the database overrides this."""
    return str(request.param)


@pytest.fixture
def migrated_url(database_kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    if database_kind == "postgresql":
        return str(request.getfixturevalue("migrated_postgresql"))
    return copy_of(request.getfixturevalue("migrated_sqlite"), tmp_path / "intake.db")


@pytest.fixture
async def database_url(migrated_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the URL of a migrated database without rows; a busy machine may need seconds for a connection."""
    monkeypatch.setattr("desk.database.engines.CONNECT_SECONDS", 60)
    if migrated_url.startswith("postgresql"):
        database = Database(migrated_url)
        await empty_tables(database)
        await database.close()
    return migrated_url


@pytest.fixture(autouse=True)
def _plain_logs() -> Iterator[None]:
    use_plain_log()
    yield
    structlog.reset_defaults()


@pytest.fixture
def settings() -> Settings:
    return new_settings()


@pytest.fixture
async def desk(settings: Settings, tmp_path: Path, database_url: str) -> AsyncIterator[Desk]:
    async with running_intake(settings, tmp_path, database_url) as desk:
        yield desk


@pytest.fixture
def identity_check(desk: Desk) -> Callable[..., IdentityCheck]:
    """The worker of another replica, which checks identities when the test says so."""

    def identity_check(telemetry: Telemetry | None = None) -> IdentityCheck:
        return IdentityCheck(
            desk.parts.database,
            desk.parts.vault,
            Outbox("/desk/intake", encryptor_for(*Settings.receivers)),
            desk.parts.registry,
            telemetry or Telemetry("another replica"),
            first_wait=timedelta(minutes=1),
        )

    return identity_check


@pytest.fixture
def no_checks_in_the_background(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stop the service's own worker, so that an identity is checked only when the test says so."""

    async def do_nothing(_check: IdentityCheck) -> None: ...

    monkeypatch.setattr(IdentityCheck, "run_once", do_nothing)


@pytest.fixture
def zahra() -> dict[str, str]:
    return ZAHRA


@pytest.fixture
def ali() -> dict[str, str]:
    return ALI


@pytest.fixture
def pdf() -> bytes:
    return PDF


@pytest.fixture
def nothing() -> dict[str, int]:
    """The counts of ``Desk.stored`` in an empty database."""
    return NOTHING


@pytest.fixture(name="problem_of")
def problem_of_fixture() -> Callable[[httpx.Response, int], dict[str, Any]]:
    return problem_of


@pytest.fixture
def tracking_private_key() -> str:
    return TRACKING_PRIVATE_KEY


@pytest.fixture
def province_private_keys() -> dict[str, str]:
    return {"isfahan": ISFAHAN_PRIVATE_KEY, "qom": QOM_PRIVATE_KEY, "headquarters": HQ_PRIVATE_KEY}
