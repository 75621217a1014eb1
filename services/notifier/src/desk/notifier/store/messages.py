"""Messages until they are handed over: queue, claim, record the result of an attempt."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from desk.chassis.crypto import Vault
from desk.database import DataKeys, insert_into, notify_after_commit
from desk.notifier.domain import (
    LEASE,
    MAX_ATTEMPTS,
    STATS_PERIOD,
    SUPERSEDABLE,
    USUAL,
    ChannelName,
    Outcome,
    OutgoingMessage,
    ProviderStats,
    SendingPolicy,
    State,
    Template,
    Trouble,
)
from desk.notifier.store.personal import Encrypted, PersonalData
from desk.notifier.store.tables import attempt, may_become, message, wrapped_key
from desk.security.data_keys import DataKey, KeyWrapper

OTHER_REFERENCES_PERIOD = timedelta(days=3)
"""How old another message to the recipient can be that a provider might confuse with an ambiguous one."""


class LeaseExpiredError(Exception):
    """The lease of a claim expired, and another dispatcher has claimed the message."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A rendered notice for one channel. ``seq`` is the number of its event within the request."""

    event_id: str
    tracking_code: str
    seq: int
    template: Template
    channel: ChannelName
    wording: str
    personal: PersonalData = field(repr=False)
    obstacle: Trouble | None = None
    """Why no attempt is made; None for a message that is sent."""
    priority: int = USUAL
    expires_at: datetime | None = None
    """When the message becomes useless; no attempt is made after it."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A claimed message. ``attempts`` includes the coming one and distinguishes the claim from any other of it."""

    id: uuid.UUID
    template: Template
    attempts: int
    encrypted: Encrypted
    wording: str = ""
    provider: str | None = None
    ambiguous: bool = False
    """True if the provider was chosen for an earlier attempt, whose result is unknown."""
    other_references: frozenset[str] = frozenset()
    """That provider's ids of other messages to the same recipient, if the message is ambiguous."""

    def decrypt(self, vault: Vault) -> OutgoingMessage:
        """Return the message for its channel. Raises DecryptionError."""
        return OutgoingMessage(
            reference=str(self.id),
            wording=self.wording,
            provider=self.provider,
            ambiguous=self.ambiguous,
            other_references=self.other_references,
            **PersonalData.decrypt(vault, self.id, self.encrypted).model_dump(),
        )


class MessageStore:
    """Messages in one session, until they are handed over."""

    def __init__(self, session: AsyncSession, vault: Vault) -> None:
        self._session = session
        self._vault = vault
        self._keys = DataKeys(vault)
        self._known: dict[str, DataKey] = {}

    async def queue(self, notice: Notice, policy: SendingPolicy) -> None:
        """Add a message, unless the event already has one of this template and channel.

        One with an obstacle is only recorded.
        """
        message_id, now = uuid.uuid4(), datetime.now(UTC)
        recipients = recipient_indexes(notice.personal, notice.channel, self._vault)
        await self._lock_recipient(recipients)
        recent = await self._recent_due_times(recipients, now, policy.limits_of(notice.channel))
        due = policy.send_at(notice.template, notice.channel, now, recent)
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
                state=State.QUEUED if notice.obstacle is None else State.SKIPPED,
                last_error=notice.obstacle,
                personal=notice.personal.encrypt(await self._key_of(notice), message_id),
                created_at=now,
                next_try_at=due,
                recipient_index=recipients[0],
                index_key=self._vault.index_key_ids[0],
                due_at=due,
                tries=0,
                priority=notice.priority,
                expires_at=notice.expires_at,
            )
            .on_conflict_do_nothing(index_elements=["event_id", "template", "channel"])
        )
        notify_after_commit(self._session)

    async def _key_of(self, notice: Notice) -> KeyWrapper | DataKey:
        """Return the key of the request. A code by SMS belongs to no request: the vault encrypts it."""
        code = notice.tracking_code
        if not code:
            return self._vault
        if code not in self._known:
            self._known[code] = await self._keys.get_or_create(self._session, code)
        return self._known[code]

    async def supersede(self, tracking_code: str, seq: int) -> None:
        """Drop the request's messages without an attempt that its event ``seq`` makes out of date."""
        await self._session.execute(
            update(message)
            .where(
                message.c.tracking_code == tracking_code,
                message.c.seq < seq,
                message.c.tries == 0,
                message.c.template.in_(sorted(SUPERSEDABLE)),
                may_become(State.OVERTAKEN),
            )
            .values(state=State.OVERTAKEN)
        )

    async def _lock_recipient(self, recipients: Sequence[str]) -> None:
        """Wait for other transactions that queue a message to this recipient, so that together they keep its limits.

        Its hashes under all index keys give one number. SQLite has one writer at a time.
        """
        if self._session.get_bind().dialect.name == "postgresql":
            await self._session.execute(select(func.pg_advisory_xact_lock(int(min(recipients)[:15], 16))))

    async def _recent_due_times(
        self, recipients: Sequence[str], now: datetime, limits: Sequence[tuple[int, timedelta]]
    ) -> list[datetime]:
        """Return the due times of the recipient's recent and future notices that a limit looks at, newest first."""
        longest = max(window for _, window in limits)
        rows = await self._session.execute(
            select(message.c.due_at)
            .where(
                message.c.recipient_index.in_(recipients),
                message.c.due_at > now - longest,
                message.c.template != Template.CODE,
            )
            .order_by(message.c.due_at.desc())
            .limit(max(most for most, _ in limits))
        )
        return list(rows.scalars().all())

    async def claim(self, channel: ChannelName, limit: int) -> list[Claim]:
        """Claim the messages of the first priority, then those that have been due longest.

        Those that another session is claiming are skipped.
        """
        longest_due = (
            select(message.c.id)
            .where(*_due(channel))
            .order_by(message.c.priority, message.c.next_try_at)
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
            .returning(message, wrapped_key)
        )
        return [
            Claim(
                id=row.id,
                template=Template(row.template),
                attempts=row.tries,
                encrypted=Encrypted(row.personal, row.tracking_code, row.wrapped),
                wording=row.wording or "",
                provider=row.provider,
                ambiguous=row.provider is not None,
                other_references=await self._other_references(row.provider, row.recipient_index, row.id)
                if row.provider
                else frozenset(),
            )
            for row in (await self._session.execute(claimed)).all()
        ]

    async def _other_references(self, provider: str, recipient: str, message_id: uuid.UUID) -> frozenset[str]:
        others = select(message.c.provider_reference).where(
            message.c.recipient_index == recipient,
            message.c.due_at > datetime.now(UTC) - OTHER_REFERENCES_PERIOD,
            message.c.provider == provider,
            message.c.provider_reference.is_not(None),
            message.c.id != message_id,
        )
        return frozenset((await self._session.execute(others)).scalars().all())

    async def assign(self, claim: Claim, provider: str) -> Claim:
        """Record the provider of a claimed message before anything is sent. Raises LeaseExpiredError."""
        assigned = update(message).where(*_held_by(claim)).values(provider=provider).returning(message.c.id)
        if (await self._session.execute(assigned)).first() is None:
            raise LeaseExpiredError
        return replace(claim, provider=provider, ambiguous=False, other_references=frozenset())

    async def provider_stats(self) -> dict[str, ProviderStats]:
        """Return the recent attempts and failures of each provider."""
        rows = await self._session.execute(
            select(attempt.c.provider, func.count(), func.count().filter(attempt.c.bad))
            .where(attempt.c.at > datetime.now(UTC) - STATS_PERIOD)
            .group_by(attempt.c.provider)
        )
        return {provider: ProviderStats(sent, failed) for provider, sent, failed in rows.all()}

    async def record(self, claim: Claim, outcome: Outcome) -> bool:
        """Record the result of an attempt; return False if the lease expired and another dispatcher took over."""
        now = datetime.now(UTC)
        recorded = (
            update(message)
            .where(*_held_by(claim))
            .values(
                state=outcome.state,
                last_error=outcome.trouble,
                next_try_at=now + outcome.wait,
                provider_reference=outcome.provider_reference,
                handed_over_at=now if outcome.state is State.HANDED_OVER else None,
                provider=None if outcome.state is State.QUEUED and not outcome.ambiguous else claim.provider,
            )
            .returning(message.c.id)
        )
        if (await self._session.execute(recorded)).first() is None:
            return False
        if claim.provider is not None:
            values = {"id": uuid.uuid4(), "message_id": claim.id, "provider": claim.provider, "at": now}
            await self._session.execute(insert(attempt).values(**values, bad=outcome.is_provider_failure))
        return True

    async def mark_delivered(self, message_id: uuid.UUID) -> None:
        """Record that the recipient has the message."""
        await self._session.execute(
            update(message)
            .where(message.c.id == message_id, may_become(State.DELIVERED))
            .values(state=State.DELIVERED, delivered_at=datetime.now(UTC))
        )


def recipient_indexes(personal: PersonalData, channel: ChannelName, vault: Vault) -> list[str]:
    """Return the keyed hash of a recipient under each index key, the current one first."""
    return vault.indexes(personal.recipient, f"message.recipient.{channel}")


def _due(channel: ChannelName) -> Sequence[ColumnElement[bool]]:
    now = datetime.now(UTC)
    return (
        may_become(State.CLAIMED),
        message.c.channel == channel,
        message.c.next_try_at <= now,
        message.c.expires_at.is_(None) | (message.c.expires_at > now),
        message.c.tries < MAX_ATTEMPTS,
    )


def _held_by(claim: Claim) -> Sequence[ColumnElement[bool]]:
    return message.c.id == claim.id, message.c.tries == claim.attempts, message.c.state == State.CLAIMED
