"""Notifier under test: its app, channels that record messages, and access to its store."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar

from fastapi import FastAPI
from prometheus_client import Counter
from sqlalchemy import ColumnElement, select, update
from support.notifier_events import event_of, status_change_data, submission_data

from desk.chassis.bus import Bus
from desk.chassis.crypto import new_key_pair
from desk.notifier.app import Parts
from desk.notifier.domain import ChannelName, OutgoingMessage, State
from desk.notifier.routes import Services
from desk.notifier.service import Dispatcher
from desk.notifier.settings import Settings
from desk.notifier.store import ShownMessage, list_messages, message

OFFICE_KEYS = {office: new_key_pair() for office in ("isfahan", "headquarters")}
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


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
        await self.bus.handle(event_of("request-submitted", submission_data(**changes)))

    async def submit_pending(self, **changes: Any) -> None:
        await self.bus.handle(event_of("request-pending", submission_data(**changes)))

    async def change_status(self, state: str = "answered", *, seq: int = 1, **changes: Any) -> None:
        await self.bus.handle(event_of("request-status-changed", status_change_data(state, **changes), seq=seq))

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
        async with asyncio.timeout(60):
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
