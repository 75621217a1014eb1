"""Notifier on SQLite and on PostgreSQL, with channels that record what they send.

A test that uses the store runs on both databases. One that is marked ``ON_SQLITE`` in its file runs on SQLite only.
"""

import asyncio
import io
import json
import logging
import sys
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import pytest
import structlog
from fastapi import FastAPI
from prometheus_client import Counter
from sqlalchemy import ColumnElement, select, update
from support.sms_server import SmsServer
from support.text_editor import author, drafted, put_in_force, refusals, second  # noqa: F401 - fixtures

from desk.chassis.bus import Bus, QueueSpec, Topology
from desk.chassis.bus.embedded import EmbeddedBroker
from desk.chassis.crypto import Vault, new_key_pair, new_secret
from desk.chassis.events import Message
from desk.chassis.rate_limits import RateLimits
from desk.chassis.telemetry import Telemetry
from desk.database import Database
from desk.notifier.app import Parts, create_app
from desk.notifier.domain import ChannelName, OutgoingMessage, State
from desk.notifier.routes import Services
from desk.notifier.service import Dispatcher
from desk.notifier.settings import Settings
from desk.notifier.store import ShownMessage, list_messages, message
from desk.security.logs import configure_logging
from desk.testing.databases import copy_of, empty_tables, migrated_database, migrated_file
from desk.testing.event_keys import encrypted, event_key_pair, event_public_keys
from desk.testing.postgres import PostgresServer
from desk.testing.service_keys import public_keys

MOBILE, EMAIL = "+989123456789", "zahra.rezaei@example.ir"
CODE = "123456789012"
OFFICE_KEYS = {office: new_key_pair() for office in ("isfahan", "headquarters")}
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
TOPOLOGY = Topology(("desk.events",), (QueueSpec("notifier", (("desk.events", "#"),)),))


class RecordingChannel:
    """Records the messages it accepts; raises the given errors first, once each, or hangs."""

    delivers = False

    def __init__(self) -> None:
        self.sent: list[OutgoingMessage] = []
        self.references: list[str] = []
        self.errors: list[Exception] = []
        self.hangs = False
        self.reached, self.go_on = asyncio.Event(), asyncio.Event()

    async def send(self, message: OutgoingMessage) -> str:
        self.references.append(message.reference)
        self.reached.set()
        if self.hangs:
            await self.go_on.wait()
        if self.errors:
            raise self.errors.pop(0)
        self.sent.append(message)
        return f"provider-{len(self.sent)}"


def _submitted(**changes: Any) -> dict[str, Any]:
    """Return the data of a submission, as intake publishes it."""
    return {
        "tracking_code": CODE,
        "submitted_at": "2026-12-13T11:00:00Z",
        "due_at": "2026-12-20T20:00:00Z",
        "province": {"key": "isfahan", "name": "اصفهان"},
        "subject": {"key": "hajj_deposit", "title": "ودیعه‌گذاری و قبوض حج تمتع"},
        "sub_subject": {"key": "hajj_deposit_receipt", "title": "صدور قبض"},
        "applicant": {
            "national_id": "0013542419",
            "first_name": "زهرا",
            "last_name": "رضایی‌نژاد",
            "gender": "female",
        },
        "contact": {"mobile": MOBILE, "landline": None, "email": EMAIL},
        "text": "متن درخواست",
        "attachments": [],
        **changes,
    }


def _status_changed(state: str = "answered", **changes: Any) -> dict[str, Any]:
    """Return the data of a status change."""
    return {
        "tracking_code": CODE,
        "state": state,
        "state_title": "پاسخ داده شد",
        "at": "2026-12-15T09:30:00Z",
        "due_at": "2026-12-20T20:00:00Z",
        "province": {"key": "isfahan", "name": "اصفهان"},
        "applicant": {"first_name": "زهرا", "last_name": "رضایی‌نژاد", "gender": "female"},
        "contact": {"mobile": MOBILE, "email": EMAIL},
        "note": None,
        "answer": {"text": "قبض شما صادر شد.\nبه دفتر استان بیایید.", "at": "2026-12-15T09:30:00Z"}
        if state == "answered"
        else None,
        **changes,
    }


def _event(name: str, data: dict[str, Any], *, seq: int = 1, **envelope: Any) -> Message:
    """Return the message of an event."""
    event_id = str(uuid.uuid4())
    body = {
        "specversion": "1.0",
        "id": event_id,
        "source": "/desk/test",
        "type": f"ir.haj.desk.{name}.v1",
        "subject": CODE,
        "time": "2026-12-13T11:00:00Z",
        "seq": seq,
        "datacontenttype": "application/json",
        "data": data,
        **envelope,
    }
    return Message(
        id=event_id,
        exchange="desk.events",
        routing_key=f"{name}.isfahan",
        type=body["type"],
        body=json.dumps(encrypted(body, "notifier")).encode(),
    )


@dataclass
class Notifier:
    """The service under test, its channels and its rows."""

    app: FastAPI
    parts: Parts
    settings: Settings
    sms: RecordingChannel
    email: RecordingChannel
    office_keys: ClassVar = OFFICE_KEYS
    """The private and the public key of two offices."""
    outcomes: Counter = field(
        default_factory=lambda: Counter("attempts", "Attempts", ["channel", "provider", "outcome"], registry=None)
    )

    @property
    def bus(self) -> Bus:
        services: Services = self.app.state.services
        return services.bus

    async def submit(self, **changes: Any) -> None:
        await self.bus.handle(_event("request-submitted", _submitted(**changes)))

    async def submit_pending(self, **changes: Any) -> None:
        await self.bus.handle(_event("request-pending", _submitted(**changes)))

    async def change_status(self, state: str = "answered", *, seq: int = 1, **changes: Any) -> None:
        await self.bus.handle(_event("request-status-changed", _status_changed(state, **changes), seq=seq))

    async def shown(self, tracking_code: str | None = None) -> dict[str, ShownMessage]:
        return {message.channel: message for message in await self.all_shown(tracking_code)}

    async def all_shown(self, tracking_code: str | None = None) -> list[ShownMessage]:
        async with self.parts.database.transaction() as session:
            return await list_messages(session, self.parts.vault, tracking_code=tracking_code)

    def dispatcher(self, name: ChannelName = ChannelName.SMS) -> Dispatcher:
        return Dispatcher(
            self.parts.database, self.parts.vault, name, self.parts.channels[name], outcomes=self.outcomes
        )

    async def dispatch(self, name: ChannelName = ChannelName.SMS) -> int:
        """Send until no message of the channel is due; return the number of attempts."""
        dispatcher, count = self.dispatcher(name), 0
        while handled := await dispatcher.send_due():
            count += handled
        return count

    async def all_messages_reach(self, state: State) -> None:
        """Return once every message has this state."""
        async with asyncio.timeout(10):
            while {row[0] for row in await self.rows("state")} != {state}:  # noqa: ASYNC110 - rows have no event
                await asyncio.sleep(0.02)

    async def rows(self, *columns: str) -> list[tuple[Any, ...]]:
        """Return columns of the messages, SMS first."""
        async with self.parts.database.transaction() as session:
            found = await session.execute(
                select(*(message.c[each] for each in columns)).order_by(message.c.channel.desc(), message.c.created_at)
            )
            return [tuple(row) for row in found.all()]

    async def update(self, *where: ColumnElement[bool], **values: Any) -> None:
        """Change columns of the messages."""
        async with self.parts.database.transaction() as session:
            await session.execute(update(message).where(*where).values(**values))

    async def make_all_due(self) -> None:
        """End every wait and every lease."""
        await self.update(next_try_at=LONG_AGO)


@pytest.fixture
def submitted() -> Callable[..., dict[str, Any]]:
    return _submitted


@pytest.fixture
def status_changed() -> Callable[..., dict[str, Any]]:
    return _status_changed


@pytest.fixture(name="event")
def event_fixture() -> Callable[..., Message]:
    return _event


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
async def database(database_url: str) -> AsyncIterator[Database]:
    """A migrated database with empty tables."""
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


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], str]]:
    """Return a function that returns the log so far, as operators would see it, from debug upwards."""
    log = io.StringIO()
    monkeypatch.setattr(sys, "stderr", log)
    root = logging.getLogger()
    handlers, level, style = root.handlers, root.level, structlog.get_config()
    configure_logging("json", "DEBUG")
    yield log.getvalue
    root.handlers = handlers
    root.setLevel(level)
    structlog.configure(**style)
