"""The messages and their table; what was said to whom is sealed."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel
from sqlalchemy import (
    Column,
    ColumnElement,
    Index,
    Integer,
    LargeBinary,
    Row,
    String,
    Table,
    UniqueConstraint,
    Uuid,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession

from desk.chassis.crypto import Vault
from desk.chassis.db import UtcDateTime, hint_after_commit, insert_into, new_metadata
from desk.chassis.events import add_event_tables
from desk.notifier.domain import LEASE, ChannelName, Outcome, OutgoingMessage, State, Template, states_before

metadata = new_metadata()
add_event_tables(metadata)

message = Table(
    "message",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("event_id", String(64), nullable=False),
    Column("tracking_code", String(12), nullable=False),
    Column("template", String(32), nullable=False),
    Column("channel", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    Column("personal", LargeBinary, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("next_try_at", UtcDateTime, nullable=False),  # while claimed: when the claim lapses
    Column("tries", Integer, nullable=False),
    Column("provider_reference", String(128)),
    Column("last_error", String(32)),
    Column("handed_over_at", UtcDateTime),
    Column("delivered_at", UtcDateTime),
    UniqueConstraint("event_id", "template", "channel"),
)
_unfinished = message.c.state.in_([State.QUEUED, State.CLAIMED])
Index(
    "ix_message_unfinished",
    message.c.channel,
    message.c.next_try_at,
    postgresql_where=_unfinished,
    sqlite_where=_unfinished,
)
Index("ix_message_created_at", message.c.created_at)
Index("ix_message_tracking_code", message.c.tracking_code)


class Personal(BaseModel):
    """The sealed part of a row."""

    recipient: str
    text: str
    subject: str | None = None
    html: str | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """One claimed message. ``tries`` counts this try too, and tells the claim from any other of the same message."""

    id: uuid.UUID
    template: Template
    tries: int
    sealed: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class ShownMessage:
    """A message as a person may look at it."""

    tracking_code: str
    template: Template
    channel: ChannelName
    state: State
    last_error: str | None
    at: datetime
    recipient: str = field(repr=False)
    text: str = field(repr=False)
    subject: str | None = field(repr=False)
    html: str | None = field(repr=False)


class MessageStore:
    """Messages in one session."""

    def __init__(self, session: AsyncSession, vault: Vault) -> None:
        self._session = session
        self._vault = vault

    async def queue(
        self, *, event_id: str, tracking_code: str, template: Template, channel: ChannelName, personal: Personal
    ) -> None:
        """Add a message, unless this event's message of this template and channel is there already."""
        message_id, now = uuid.uuid4(), datetime.now(UTC)
        await self._session.execute(
            insert_into(self._session.get_bind().dialect.name, message)
            .values(
                id=message_id,
                event_id=event_id,
                tracking_code=tracking_code,
                template=template,
                channel=channel,
                state=State.QUEUED,
                personal=self._vault.seal(personal.model_dump_json().encode(), _place(message_id)),
                created_at=now,
                next_try_at=now,
                tries=0,
            )
            .on_conflict_do_nothing(index_elements=["event_id", "template", "channel"])
        )
        hint_after_commit(self._session)

    async def claim(self, channel: ChannelName, limit: int) -> list[Claim]:
        """Claim the messages that are due longest; those that another session is claiming are passed over."""
        longest_due = (
            select(message.c.id)
            .where(*_due(channel))
            .order_by(message.c.next_try_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        ids = (await self._session.execute(longest_due)).scalars().all()
        if not ids:
            return []
        claimed = (
            update(message)
            .where(message.c.id.in_(ids))
            .values(state=State.CLAIMED, tries=message.c.tries + 1, next_try_at=datetime.now(UTC) + LEASE)
            .returning(message.c.id, message.c.template, message.c.tries, message.c.personal)
        )
        rows = (await self._session.execute(claimed)).all()
        return [Claim(row.id, Template(row.template), row.tries, row.personal) for row in rows]

    async def record(self, claim: Claim, outcome: Outcome) -> bool:
        """Record what a try came to; False if the claim has lapsed and another has taken over."""
        now = datetime.now(UTC)
        recorded = (
            update(message)
            .where(message.c.id == claim.id, message.c.tries == claim.tries, _may_become(outcome.state))
            .values(
                state=outcome.state,
                last_error=outcome.trouble,
                next_try_at=now + outcome.wait,
                provider_reference=outcome.provider_reference,
                handed_over_at=now if outcome.state is State.HANDED_OVER else None,
            )
            .returning(message.c.id)
        )
        return (await self._session.execute(recorded)).first() is not None

    async def mark_delivered(self, message_id: uuid.UUID) -> None:
        """Record that the recipient has it."""
        await self._session.execute(
            update(message)
            .where(message.c.id == message_id, _may_become(State.DELIVERED))
            .values(state=State.DELIVERED, delivered_at=datetime.now(UTC))
        )

    async def newest(self, limit: int, tracking_code: str | None) -> list[ShownMessage]:
        """Return the newest messages, of one request if a code is given, opened."""
        query = select(message).order_by(message.c.created_at.desc(), message.c.channel).limit(limit)
        if tracking_code is not None:
            query = query.where(message.c.tracking_code == tracking_code)
        return [self._shown(row) for row in (await self._session.execute(query)).all()]

    def _shown(self, row: Row[Any]) -> ShownMessage:
        personal = _unseal(self._vault, row.id, row.personal)
        return ShownMessage(
            tracking_code=row.tracking_code,
            template=Template(row.template),
            channel=ChannelName(row.channel),
            state=State(row.state),
            last_error=row.last_error,
            at=row.created_at,
            recipient=personal.recipient,
            text=personal.text,
            subject=personal.subject,
            html=personal.html,
        )


def open_claim(vault: Vault, claim: Claim) -> OutgoingMessage:
    """Open a claimed message for its channel. Raises SealBrokenError."""
    personal = _unseal(vault, claim.id, claim.sealed)
    return OutgoingMessage(reference=str(claim.id), **personal.model_dump())


def _unseal(vault: Vault, message_id: uuid.UUID, sealed: bytes) -> Personal:
    return Personal.model_validate_json(vault.open(sealed, _place(message_id)))


def _place(message_id: uuid.UUID) -> str:
    return f"message.personal:{message_id}"


def _due(channel: ChannelName) -> Sequence[ColumnElement[bool]]:
    return _may_become(State.CLAIMED), message.c.channel == channel, message.c.next_try_at <= datetime.now(UTC)


def _may_become(state: State) -> ColumnElement[bool]:
    return message.c.state.in_(sorted(states_before(state)))
