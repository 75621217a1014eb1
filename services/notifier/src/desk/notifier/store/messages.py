"""Messages until they are handed over: queue, claim, record the result of an attempt."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from desk.chassis.crypto import Vault
from desk.database import DataKeys, insert_into, notify_after_commit
from desk.notifier.domain import (
    SUPERSEDABLE,
    USUAL,
    ChannelName,
    SendingPolicy,
    State,
    Template,
    Trouble,
)
from desk.notifier.store.personal import PersonalData
from desk.notifier.store.tables import may_become, message
from desk.security.data_keys import DataKey, KeyWrapper


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


def recipient_indexes(personal: PersonalData, channel: ChannelName, vault: Vault) -> list[str]:
    """Return the keyed hash of a recipient under each index key, the current one first."""
    return vault.indexes(personal.recipient, f"message.recipient.{channel}")
