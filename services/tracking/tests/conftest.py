"""Tracking on SQLite and on PostgreSQL, with peers whose answers a test chooses.

A test that uses the store runs on both databases. One that is marked ``ON_SQLITE`` in its file runs on SQLite only.
"""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from support.logs import logged  # noqa: F401 - a fixture
from support.tracking_events import (
    REPORTS,
    SECRETS,
    identity_rejection_of,
    new_tracking_code,
    pending_of,
    probe_of,
    report_of,
    request_data_of,
    submission_of,
)
from support.tracking_peers import Peers
from support.tracking_service import OFFICE_KEYS, Clock, Tracking

from desk.chassis.bus import QueueSpec, Topology
from desk.chassis.bus.embedded import EmbeddedBroker
from desk.chassis.crypto import TokenIssuer, Vault, new_key_pair, new_secret
from desk.chassis.events import Message
from desk.chassis.rate_limits import RateLimits
from desk.chassis.telemetry import Telemetry
from desk.database import Database
from desk.testing.databases import copy_of, empty_tables, migrated_database, migrated_file
from desk.testing.event_keys import event_key_pair, event_public_keys
from desk.testing.postgres import PostgresServer
from desk.testing.service_keys import key_pair
from desk.tracking.app import TOKEN_ISSUER, Parts, create_app
from desk.tracking.challenges import Challenges
from desk.tracking.clients import IntakeClient, RegistryClient
from desk.tracking.settings import Settings

TOPOLOGY = Topology(
    ("desk.events", "desk.cases"),
    (
        QueueSpec("tracking", (("desk.events", "request-submitted.*"), ("desk.cases", "#"))),
        QueueSpec("others", (("desk.events", "#"),)),
    ),
)


@pytest.fixture
def new_code() -> Callable[[], str]:
    return new_tracking_code


@pytest.fixture
def request_data() -> Callable[..., dict[str, Any]]:
    return request_data_of


@pytest.fixture
def submission() -> Callable[..., Message]:
    return submission_of


@pytest.fixture
def pending() -> Callable[..., Message]:
    return pending_of


@pytest.fixture
def probed() -> Callable[..., Message]:
    return probe_of


@pytest.fixture
def identity_rejected() -> Callable[..., Message]:
    return identity_rejection_of


@pytest.fixture
def report() -> Callable[..., Message]:
    return report_of


@pytest.fixture
def report_data() -> Callable[[str, str], dict[str, Any]]:
    """Return a function that returns the data of a report."""
    return lambda name, code: {"tracking_code": code, "at": "2026-12-13T12:00:00Z", **REPORTS[name]}


@pytest.fixture
def secrets_of_people() -> tuple[str, ...]:
    return SECRETS


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Migrate an SQLite database once; each test gets a copy."""
    return migrated_file(tmp_path_factory.mktemp("migrated"), "desk.tracking")


@pytest.fixture(scope="session")
def migrated_url(postgres_server: PostgresServer) -> str:
    """Migrate a PostgreSQL database once; each test gets its tables empty."""
    return migrated_database(postgres_server, "desk.tracking")


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a migrated database on each kind of server."""
    if request.param == "postgresql":
        return str(request.getfixturevalue("migrated_url"))
    return copy_of(request.getfixturevalue("migrated_sqlite"), tmp_path / "tracking.db")


@pytest.fixture
async def database(database_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Database]:
    """A migrated database with empty tables; a busy machine may need seconds for a connection."""
    monkeypatch.setattr("desk.database.engines.CONNECT_SECONDS", 60)
    database = Database(database_url, pool_timeout=60, statement_seconds=50)
    if database.engine.name == "postgresql":
        await empty_tables(database)
    yield database
    await database.close()


@pytest.fixture
def office_private_keys() -> dict[str, str]:
    """The keys with which offices sign their assertions."""
    return {office: private for office, (private, _) in OFFICE_KEYS.items()}


@pytest.fixture
async def tracking(tmp_path: Path, database: Database) -> AsyncIterator[Tracking]:
    private_key, public_key = new_key_pair()
    vault = Vault({"k1": b"k" * 32}, b"i" * 32)
    broker = EmbeddedBroker(f"sqlite+aiosqlite:///{tmp_path / 'broker.db'}", TOPOLOGY, vault)
    await broker.open()
    peers, clock = Peers(), Clock()
    parts = Parts(
        database=database,
        broker=broker,
        rate_limits=RateLimits("memory://"),
        challenges=Challenges.of(peers.client(peers.answer_captcha), peers.client(peers.check_proof)),
        intake=IntakeClient(peers.client(peers.find_request)),
        registry=RegistryClient(peers.client(peers.list_lookups)),
        tokens=TokenIssuer(private_key, TOKEN_ISSUER),
        vault=vault,
        telemetry=Telemetry("tracking"),
        clock=clock,
    )
    settings = Settings(
        database_url="sqlite+aiosqlite://",
        vault_keys=f"k1:{new_secret()}",
        index_key=new_secret(),
        service_private_key=key_pair("tracking")[0],
        token_private_key=new_key_pair()[0],
        office_signing_keys={office: public for office, (_, public) in OFFICE_KEYS.items()},
        probe_public_key=key_pair("probe")[1],
        captcha_url="http://captcha",
        intake_url="http://intake",
        registry_url="http://registry-gateway",
        budget_url="memory://",
        broker_url="memory://",
        event_private_keys=[event_key_pair("tracking")[0]],
        event_public_keys=event_public_keys(*Settings.receivers),
        misses_per_source="3/10 minutes",
        lookups_per_source="30/10 minutes",
    )
    yield Tracking(create_app(settings, parts=parts), parts, settings, peers, public_key, clock)
    await broker.close()
