"""The messages and their table; what was said to whom is sealed."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import BaseModel
from sqlalchemy import (
    Boolean,
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
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession

from desk.chassis.crypto import Vault
from desk.chassis.db import UtcDateTime, hint_after_commit, insert_into, new_metadata
from desk.chassis.events import add_event_tables
from desk.notifier.domain import (
    GIVEN_UP_AFTER,
    LEASE,
    RECENTLY,
    SLOW_AFTER,
    ChannelName,
    Delivery,
    Manners,
    Outcome,
    OutgoingMessage,
    Record,
    State,
    Template,
    Trouble,
    question_after,
    states_before,
)

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
    Column("provider", String(16)),  # kept in doubt and once handed over, gone once it has surely refused
    Column("recipient_index", String(64)),
    Column("due_at", UtcDateTime),  # when it was to go first; later tries do not count as more messages
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
Index("ix_message_provider_provider_reference", message.c.provider, message.c.provider_reference)
Index("ix_message_recipient_index_due_at", message.c.recipient_index, message.c.due_at)
_awaited = (message.c.state == State.HANDED_OVER) & message.c.provider.is_not(None)
Index("ix_message_awaited", message.c.next_try_at, postgresql_where=_awaited, sqlite_where=_awaited)

attempt = Table(
    "attempt",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("message_id", Uuid, nullable=False),
    Column("provider", String(16), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("bad", Boolean, nullable=False),
)
Index("ix_attempt_at", attempt.c.at)
Index("ix_attempt_message_id", attempt.c.message_id)


class Personal(BaseModel):
    """The sealed part of a row."""

    recipient: str
    text: str
    subject: str | None = None
    html: str | None = None
    values: dict[str, str] = {}


@dataclass(frozen=True, slots=True)
class Claim:
    """One claimed message. ``tries`` counts this try too, and tells the claim from any other of the same message."""

    id: uuid.UUID
    template: Template
    tries: int
    sealed: bytes = field(repr=False)
    provider: str | None = None
    in_doubt: bool = False
    """True if that provider was chosen for an earlier try, whose end nobody knows."""


@dataclass(frozen=True, slots=True)
class Awaited:
    """A message handed over of which nobody knows whether it arrived."""

    id: uuid.UUID
    provider: str
    provider_reference: str


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
        self,
        *,
        event_id: str,
        tracking_code: str,
        template: Template,
        channel: ChannelName,
        personal: Personal,
        manners: Manners,
    ) -> None:
        """Add a message, unless this event's message of this template and channel is there already."""
        message_id, now = uuid.uuid4(), datetime.now(UTC)
        recipient = self._vault.index(personal.recipient, f"message.recipient.{channel}")
        recent = await self._due_lately(recipient, now, manners.most_per_hour)
        due = manners.send_at(template, channel, now, recent)
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
                next_try_at=due,
                recipient_index=recipient,
                due_at=due,
                tries=0,
            )
            .on_conflict_do_nothing(index_elements=["event_id", "template", "channel"])
        )
        hint_after_commit(self._session)

    async def _due_lately(self, recipient: str, now: datetime, limit: int) -> list[datetime]:
        """Return when a recipient's messages of the last hour and of the time to come are or were due, newest first."""
        rows = await self._session.execute(
            select(message.c.due_at)
            .where(message.c.recipient_index == recipient, message.c.due_at > now - timedelta(hours=1))
            .order_by(message.c.due_at.desc())
            .limit(limit)
        )
        return list(rows.scalars().all())

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
            .returning(message.c.id, message.c.template, message.c.tries, message.c.personal, message.c.provider)
        )
        rows = (await self._session.execute(claimed)).all()
        return [
            Claim(row.id, Template(row.template), row.tries, row.personal, row.provider, row.provider is not None)
            for row in rows
        ]

    async def assign(self, claim: Claim, provider: str) -> Claim:
        """Write down, before anything is sent, which provider a claimed message goes to."""
        await self._session.execute(update(message).where(message.c.id == claim.id).values(provider=provider))
        return replace(claim, provider=provider)

    async def records(self) -> dict[str, Record]:
        """Return how each provider did of late."""
        rows = await self._session.execute(
            select(attempt.c.provider, func.count(), func.count().filter(attempt.c.bad))
            .where(attempt.c.at > datetime.now(UTC) - RECENTLY)
            .group_by(attempt.c.provider)
        )
        return {provider: Record(given, bad) for provider, given, bad in rows.all()}

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
                provider=None if outcome.state is State.QUEUED and not outcome.in_doubt else claim.provider,
            )
            .returning(message.c.id)
        )
        if (await self._session.execute(recorded)).first() is None:
            return False
        if claim.provider is not None:
            tried = {"id": uuid.uuid4(), "message_id": claim.id, "provider": claim.provider, "at": now}
            await self._session.execute(insert(attempt).values(**tried, bad=outcome.blames_provider))
        return True

    async def mark_delivered(self, message_id: uuid.UUID) -> None:
        """Record that the recipient has it."""
        await self._session.execute(
            update(message)
            .where(message.c.id == message_id, _may_become(State.DELIVERED))
            .values(state=State.DELIVERED, delivered_at=datetime.now(UTC))
        )

    async def await_reports(self, limit: int) -> list[Awaited]:
        """Return messages that are to be asked about now, and put the next question off."""
        now = datetime.now(UTC)
        due = (
            select(message.c.id, message.c.provider, message.c.provider_reference, message.c.handed_over_at)
            .where(_awaited, message.c.next_try_at <= now)
            .order_by(message.c.next_try_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        rows = (await self._session.execute(due)).all()
        for row in rows:
            next_question = now + question_after(now - row.handed_over_at)
            await self._session.execute(update(message).where(message.c.id == row.id).values(next_try_at=next_question))
        return [Awaited(row.id, row.provider, row.provider_reference) for row in rows]

    async def record_delivery(self, provider: str, provider_reference: str, delivery: Delivery) -> bool:
        """Record a provider's report; False if there is no such message. A late or repeated report changes nothing."""
        here = (message.c.provider == provider, message.c.provider_reference == provider_reference)
        found = (await self._session.execute(select(message.c.id).where(*here))).scalars().first()
        if found is None:
            return False
        if delivery is Delivery.DELIVERED:
            await self.mark_delivered(found)
        if delivery is Delivery.FAILED:
            await self._fail(Trouble.NOT_DELIVERED, message.c.id == found)
            await self._session.execute(update(attempt).where(attempt.c.message_id == found).values(bad=True))
        return True

    async def settle(self) -> None:
        """Count against their providers what took too long, and end what nobody will ever report on."""
        now = datetime.now(UTC)
        late = select(message.c.id).where(
            message.c.provider.is_not(None),
            message.c.handed_over_at.between(now - RECENTLY - SLOW_AFTER, now - SLOW_AFTER),
            message.c.delivered_at.is_(None) | (message.c.delivered_at > message.c.handed_over_at),
        )
        slow = [
            row.id
            for row in await self._session.execute(late.add_columns(message.c.handed_over_at, message.c.delivered_at))
            if row.delivered_at is None or row.delivered_at - row.handed_over_at > SLOW_AFTER
        ]
        if slow:
            await self._session.execute(update(attempt).where(attempt.c.message_id.in_(slow)).values(bad=True))
        await self._fail(Trouble.NO_REPORT, _awaited, message.c.handed_over_at < now - GIVEN_UP_AFTER)
        await self._session.execute(delete(attempt).where(attempt.c.at < now - timedelta(days=1)))

    async def latest_due(self) -> dict[ChannelName, float]:
        """Return, for each channel, how many seconds the message that is late most is overdue; 0 if none is."""
        now = datetime.now(UTC)
        rows = await self._session.execute(
            select(message.c.channel, func.min(message.c.next_try_at)).where(_unfinished).group_by(message.c.channel)
        )
        late = {ChannelName(row[0]): max(0.0, (now - row[1]).total_seconds()) for row in rows.all()}
        return dict.fromkeys(ChannelName, 0.0) | late

    async def _fail(self, trouble: Trouble, *which: ColumnElement[bool]) -> None:
        await self._session.execute(
            update(message).where(*which, _may_become(State.FAILED)).values(state=State.FAILED, last_error=trouble)
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
    return OutgoingMessage(
        reference=str(claim.id),
        template=claim.template,
        provider=claim.provider,
        in_doubt=claim.in_doubt,
        **personal.model_dump(),
    )


def _unseal(vault: Vault, message_id: uuid.UUID, sealed: bytes) -> Personal:
    return Personal.model_validate_json(vault.open(sealed, _place(message_id)))


def _place(message_id: uuid.UUID) -> str:
    return f"message.personal:{message_id}"


def _due(channel: ChannelName) -> Sequence[ColumnElement[bool]]:
    return _may_become(State.CLAIMED), message.c.channel == channel, message.c.next_try_at <= datetime.now(UTC)


def _may_become(state: State) -> ColumnElement[bool]:
    return message.c.state.in_(sorted(states_before(state)))
