"""Messages from their event to their hand-over."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from desk.chassis.crypto import Vault
from desk.database import insert_into, notify_after_commit
from desk.notifier.domain import (
    LEASE,
    MOOT,
    MOST_TRIES,
    RECENTLY,
    ChannelName,
    Manners,
    Outcome,
    OutgoingMessage,
    Record,
    State,
    Template,
)
from desk.notifier.store.sealed import Personal
from desk.notifier.store.tables import attempt, may_become, message

KNOWN_FOR = timedelta(days=3)
"""How far back other messages of a recipient are looked at where one of them could be taken for another."""


class ClaimLapsedError(Exception):
    """Another has claimed the message meanwhile."""


@dataclass(frozen=True, slots=True)
class Notice:
    """What is to be told to whom, by one way. ``seq`` is its event's number among those of the request."""

    event_id: str
    tracking_code: str
    seq: int
    template: Template
    channel: ChannelName
    wording: str
    personal: Personal = field(repr=False)


@dataclass(frozen=True, slots=True)
class Claim:
    """One claimed message. ``tries`` counts this try too, and tells the claim from any other of the same message."""

    id: uuid.UUID
    template: Template
    tries: int
    sealed: bytes = field(repr=False)
    wording: str = ""
    provider: str | None = None
    in_doubt: bool = False
    """True if that provider was chosen for an earlier try, whose end nobody knows."""
    known: frozenset[str] = frozenset()
    """That provider's ids of other messages to the same recipient, if it is in doubt."""

    def open(self, vault: Vault) -> OutgoingMessage:
        """Open it for its channel. Raises DecryptionError."""
        return OutgoingMessage(
            reference=str(self.id),
            wording=self.wording,
            provider=self.provider,
            in_doubt=self.in_doubt,
            known=self.known,
            **Personal.unseal(vault, self.id, self.sealed).model_dump(),
        )


class MessageStore:
    """Messages in one session, until they are handed over."""

    def __init__(self, session: AsyncSession, vault: Vault) -> None:
        self._session = session
        self._vault = vault

    async def queue(self, notice: Notice, manners: Manners) -> None:
        """Add a message, unless this event's message of this template and channel is there already."""
        message_id, now = uuid.uuid4(), datetime.now(UTC)
        recipient = self._vault.index(notice.personal.recipient, f"message.recipient.{notice.channel}")
        recent = await self._due_lately(recipient, now, manners.most_per_hour)
        due = manners.send_at(notice.template, notice.channel, now, recent)
        await self._session.execute(
            insert_into(self._session.get_bind().dialect.name, message)
            .values(
                id=message_id,
                event_id=notice.event_id,
                tracking_code=notice.tracking_code,
                seq=notice.seq,
                template=notice.template,
                channel=notice.channel,
                wording=notice.wording,
                state=State.QUEUED,
                personal=notice.personal.seal(self._vault, message_id),
                created_at=now,
                next_try_at=due,
                recipient_index=recipient,
                due_at=due,
                tries=0,
            )
            .on_conflict_do_nothing(index_elements=["event_id", "template", "channel"])
        )
        notify_after_commit(self._session)

    async def overtake(self, tracking_code: str, seq: int) -> None:
        """End what still waits about a request and says nothing any more after its event ``seq``."""
        await self._session.execute(
            update(message)
            .where(
                message.c.tracking_code == tracking_code,
                message.c.seq < seq,
                message.c.tries == 0,
                message.c.template.in_(sorted(MOOT)),
                may_become(State.OVERTAKEN),
            )
            .values(state=State.OVERTAKEN)
        )

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
            .returning(message)
        )
        return [
            Claim(
                id=row.id,
                template=Template(row.template),
                tries=row.tries,
                sealed=row.personal,
                wording=row.wording or "",
                provider=row.provider,
                in_doubt=row.provider is not None,
                known=await self._known(row.provider, row.recipient_index, row.id) if row.provider else frozenset(),
            )
            for row in (await self._session.execute(claimed)).all()
        ]

    async def _known(self, provider: str, recipient: str, message_id: uuid.UUID) -> frozenset[str]:
        others = select(message.c.provider_reference).where(
            message.c.recipient_index == recipient,
            message.c.due_at > datetime.now(UTC) - KNOWN_FOR,
            message.c.provider == provider,
            message.c.provider_reference.is_not(None),
            message.c.id != message_id,
        )
        return frozenset((await self._session.execute(others)).scalars().all())

    async def assign(self, claim: Claim, provider: str) -> Claim:
        """Write down, before anything is sent, which provider a claimed message goes to. Raises ClaimLapsedError."""
        assigned = update(message).where(*_still(claim)).values(provider=provider).returning(message.c.id)
        if (await self._session.execute(assigned)).first() is None:
            raise ClaimLapsedError
        return replace(claim, provider=provider, in_doubt=False, known=frozenset())

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
            .where(*_still(claim))
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
            .where(message.c.id == message_id, may_become(State.DELIVERED))
            .values(state=State.DELIVERED, delivered_at=datetime.now(UTC))
        )


def _due(channel: ChannelName) -> Sequence[ColumnElement[bool]]:
    return (
        may_become(State.CLAIMED),
        message.c.channel == channel,
        message.c.next_try_at <= datetime.now(UTC),
        message.c.tries < MOST_TRIES,
    )


def _still(claim: Claim) -> Sequence[ColumnElement[bool]]:
    return message.c.id == claim.id, message.c.tries == claim.tries, message.c.state == State.CLAIMED
