"""A notifier on SQLite in a temporary folder, with channels that remember what they were given."""

import asyncio
import json
import sqlite3
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from prometheus_client import Counter

from desk.chassis.bus import Bus, QueueSpec, Topology
from desk.chassis.bus.embedded import EmbeddedBroker
from desk.chassis.crypto import Vault
from desk.chassis.events import Message
from desk.chassis.telemetry import Telemetry
from desk.database import Database, migrate
from desk.notifier.app import Parts, create_app
from desk.notifier.domain import ChannelName, OutgoingMessage, State
from desk.notifier.service import Dispatcher
from desk.notifier.settings import Settings
from desk.notifier.store import ShownMessage, messages_shown

MOBILE, EMAIL = "+989123456789", "zahra.rezaei@example.ir"
CODE = "123456789012"
TOPOLOGY = Topology(("desk.events",), (QueueSpec("notifier", (("desk.events", "#"),)),))


class MemoryChannel:
    """Remembers what it was given; raises what it is told to raise, once each, or hangs."""

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
    """The data of a submission, with whatever else intake announces."""
    return {
        "tracking_code": CODE,
        "submitted_at": "2026-12-13T11:00:00Z",
        "due_at": "2026-12-20T20:00:00Z",
        "province": {"key": "isfahan", "name": "اصفهان"},
        "subject": {"key": "hajj_deposit", "title": "ودیعه‌گذاری و قبوض حج تمتع"},
        "applicant": {
            "national_id": "0013542419",
            "first_name": "زهرا",
            "last_name": "رضایی‌نژاد",
            "gender": "female",
        },
        "contact": {"mobile": MOBILE, "landline": None, "email": EMAIL},
        "text": "متن درخواست",
        **changes,
    }


def _status_changed(state: str = "answered", **changes: Any) -> dict[str, Any]:
    """The data of a status change."""
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
    """An event on the wire."""
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
        body=json.dumps(body).encode(),
    )


@dataclass
class Notifier:
    """The service under test, its channels, and a look into its store."""

    app: FastAPI
    parts: Parts
    settings: Settings
    path: Path
    sms: MemoryChannel
    email: MemoryChannel
    outcomes: Counter = field(
        default_factory=lambda: Counter("tries", "Tries", ["channel", "provider", "outcome"], registry=None)
    )

    @property
    def bus(self) -> Bus:
        bus: Bus = self.app.state.bus
        return bus

    async def submit(self, **changes: Any) -> None:
        await self.bus.handle(_event("request-submitted", _submitted(**changes)))

    async def hold(self, **changes: Any) -> None:
        await self.bus.handle(_event("request-pending", _submitted(**changes)))

    async def report(self, state: str = "answered", *, seq: int = 1, **changes: Any) -> None:
        await self.bus.handle(_event("request-status-changed", _status_changed(state, **changes), seq=seq))

    async def shown(self, tracking_code: str | None = None) -> dict[str, ShownMessage]:
        return {message.channel: message for message in await self.all_shown(tracking_code)}

    async def all_shown(self, tracking_code: str | None = None) -> list[ShownMessage]:
        async with self.parts.database.transaction() as session:
            return await messages_shown(session, self.parts.vault, tracking_code=tracking_code)

    def dispatcher(self, name: ChannelName = ChannelName.SMS) -> Dispatcher:
        return Dispatcher(
            self.parts.database, self.parts.vault, name, self.parts.channels[name], outcomes=self.outcomes
        )

    async def dispatch(self, name: ChannelName = ChannelName.SMS) -> int:
        dispatcher, count = self.dispatcher(name), 0
        while handled := await dispatcher.dispatch_due():
            count += handled
        return count

    async def everything_reaches(self, state: State) -> None:
        """Return once every message is in this state."""
        async with asyncio.timeout(10):
            while {row[0] for row in self.rows("state")} != {state}:  # noqa: ASYNC110 - rows have no event to wait for
                await asyncio.sleep(0.02)

    def rows(self, columns: str) -> list[tuple[Any, ...]]:
        """The SMS first."""
        return self.execute(f"SELECT {columns} FROM message ORDER BY channel DESC")  # noqa: S608 - our own columns

    def execute(self, statement: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.path)) as connection, connection:
            return connection.execute(statement).fetchall()

    def let_time_pass(self) -> None:
        """End every wait and every lease now."""
        self.execute("UPDATE message SET next_try_at = '2026-01-01 00:00:00.000000'")


@pytest.fixture
def submitted() -> Callable[..., dict[str, Any]]:
    return _submitted


@pytest.fixture
def status_changed() -> Callable[..., dict[str, Any]]:
    return _status_changed


@pytest.fixture
def event() -> Callable[..., Message]:
    return _event


Make = Callable[..., Awaitable[Notifier]]


@pytest.fixture
async def make(tmp_path: Path) -> AsyncIterator[Make]:
    made: list[Notifier] = []

    async def build(*, sms: Any = None, email: Any = None, **changes: Any) -> Notifier:
        path = tmp_path / "notifier.db"
        url = f"sqlite+aiosqlite:///{path}"
        await migrate("desk.notifier", url)
        vault = Vault({"k1": b"k" * 32}, b"i" * 32)
        broker = EmbeddedBroker(f"sqlite+aiosqlite:///{tmp_path / 'broker.db'}", TOPOLOGY, vault)
        await broker.open()
        sms, email = sms or MemoryChannel(), email or MemoryChannel()
        parts = Parts(
            database=Database(url),
            broker=broker,
            vault=vault,
            telemetry=Telemetry("notifier"),
            channels={ChannelName.SMS: sms, ChannelName.EMAIL: email},
        )
        manners = {"quiet_from": "00:00", "quiet_until": "00:00", "recipient_most": 1000} | changes  # at any hour
        settings = Settings(
            database_url=url,
            vault_keys="unused",
            index_key="unused",
            public_url="https://desk.example.ir/",
            broker_url="unused",
            smtp_host="unused",
            mail_from="desk@example.ir",
            sms="shown",
            **manners,
        )
        made.append(Notifier(create_app(settings, parts=parts), parts, settings, path, sms, email))
        return made[-1]

    yield build
    for notifier in made:
        await notifier.parts.broker.close()
        await notifier.parts.database.close()


@pytest.fixture
async def notifier(make: Make) -> Notifier:
    return await make()
