"""Notifier on SQLite and on PostgreSQL, with channels that record what they send.

A test that uses the store runs on both databases. One that is marked ``ON_SQLITE`` in its file runs on SQLite only.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.logs import logged  # noqa: F401 - a fixture
from support.notifier_events import event_of, status_change_data, submission_data
from support.notifier_service import OFFICE_KEYS, Notifier, RecordingChannel
from support.sms_server import SmsServer
from support.text_editor import author, drafted, put_in_force, refusals, second  # noqa: F401 - fixtures

from desk.chassis.bus import QueueSpec, Topology
from desk.chassis.bus.embedded import EmbeddedBroker
from desk.chassis.crypto import Vault, new_secret
from desk.chassis.events import Message
from desk.chassis.rate_limits import RateLimits
from desk.chassis.telemetry import Telemetry
from desk.database import Database
from desk.notifier.app import Parts, create_app
from desk.notifier.domain import ChannelName
from desk.notifier.settings import Settings
from desk.testing.databases import copy_of, empty_tables, migrated_database, migrated_file
from desk.testing.event_keys import event_key_pair, event_public_keys
from desk.testing.postgres import PostgresServer
from desk.testing.service_keys import public_keys

TOPOLOGY = Topology(("desk.events",), (QueueSpec("notifier", (("desk.events", "#"),)),))


@pytest.fixture
def submitted() -> Callable[..., dict[str, Any]]:
    return submission_data


@pytest.fixture
def status_changed() -> Callable[..., dict[str, Any]]:
    return status_change_data


@pytest.fixture(name="event")
def event_fixture() -> Callable[..., Message]:
    return event_of


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Migrate an SQLite database once; each test gets a copy."""
    return migrated_file(tmp_path_factory.mktemp("migrated"), "desk.notifier")


@pytest.fixture(scope="session")
def migrated_url(postgres_server: PostgresServer) -> str:
    """Migrate a PostgreSQL database once; each test gets its tables empty."""
    return migrated_database(postgres_server, "desk.notifier")


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a migrated database on each kind of server."""
    if request.param == "postgresql":
        return str(request.getfixturevalue("migrated_url"))
    return copy_of(request.getfixturevalue("migrated_sqlite"), tmp_path / "notifier.db")


@pytest.fixture
async def database(database_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Database]:
    """A migrated database with empty tables; a busy machine may need seconds for a connection."""
    monkeypatch.setattr("desk.database.engines.CONNECT_SECONDS", 60)
    database = Database(database_url, pool_timeout=60, statement_seconds=50)
    if database.engine.name == "postgresql":
        await empty_tables(database)
    yield database
    await database.close()


Make = Callable[..., Awaitable[Notifier]]


@pytest.fixture
async def make(tmp_path: Path, database: Database) -> AsyncIterator[Make]:
    made: list[Notifier] = []

    async def build(*, sms: Any = None, email: Any = None, **changes: Any) -> Notifier:
        vault = Vault({"k1": b"k" * 32}, b"i" * 32)
        broker = EmbeddedBroker(f"sqlite+aiosqlite:///{tmp_path / 'broker.db'}", TOPOLOGY, vault)
        await broker.open()
        sms, email = sms or RecordingChannel(), email or RecordingChannel()
        parts = Parts(
            database=database,
            broker=broker,
            rate_limits=RateLimits("memory://"),
            vault=vault,
            telemetry=Telemetry("notifier"),
            channels={ChannelName.SMS: sms, ChannelName.EMAIL: email},
        )
        policy = {
            "quiet_from": "00:00",
            "quiet_until": "00:00",
            "recipient_most": 1000,
            "sms_daily_most": 1000,
        } | changes  # at any hour
        settings = Settings(
            database_url="sqlite+aiosqlite://",
            vault_keys=f"k1:{new_secret()}",
            index_key=new_secret(),
            service_public_keys=public_keys("captcha"),
            budget_url="memory://",
            office_signing_keys={office: public for office, (_, public) in OFFICE_KEYS.items()},
            public_url="https://desk.example.ir/",
            broker_url="memory://",
            event_private_keys=[event_key_pair("notifier")[0]],
            event_public_keys=event_public_keys(*Settings.receivers),
            smtp_host="unused",
            mail_from="desk@example.ir",
            sms="shown",
            **policy,
        )
        made.append(Notifier(create_app(settings, parts=parts), parts, settings, sms, email))
        return made[-1]

    yield build
    for notifier in made:
        await notifier.parts.broker.close()


@pytest.fixture
async def notifier(make: Make) -> Notifier:
    return await make()


@pytest.fixture
def server() -> Iterator[SmsServer]:
    """Three SMS providers."""
    server = SmsServer()
    yield server
    server.stop()
