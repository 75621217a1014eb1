"""Messages after they are handed over: delivery reports, and the end of those without one."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, delete, func, select, update

from desk.database import DatabaseSession, notify_after_commit
from desk.notifier.domain import (
    MAX_ATTEMPTS,
    REPORT_TIMEOUT,
    RESEND_AFTER,
    SLOW_AFTER,
    STATS_PERIOD,
    ChannelName,
    Delivery,
    State,
    Trouble,
    poll_delay,
)
from desk.notifier.store.tables import attempt, awaited, may_become, message, unfinished

FAILED_PERIOD = timedelta(days=1)
"""How old a failed message can be to be counted."""


@dataclass(frozen=True, slots=True)
class AwaitedReport:
    """A handed-over message without a final report."""

    id: uuid.UUID
    provider: str
    provider_reference: str
    handed_over_at: datetime

    @property
    def overdue(self) -> bool:
        """True if the message is sent again in case its provider does not have it."""
        return datetime.now(UTC) - self.handed_over_at > RESEND_AFTER


class DeliveryReportStore:
    """Messages in one session, after they are handed over."""

    def __init__(self, session: DatabaseSession) -> None:
        self._session = session

    async def claim_due_polls(self, limit: int) -> list[AwaitedReport]:
        """Return messages whose report is to be polled now, and schedule the next poll of each."""
        now = datetime.now(UTC)
        due = (
            select(message.c.id, message.c.provider, message.c.provider_reference, message.c.handed_over_at)
            .where(awaited, message.c.next_try_at <= now)
            .order_by(message.c.next_try_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        rows = (await self._session.execute(due)).all()
        for row in rows:
            next_poll = now + poll_delay(now - row.handed_over_at)
            await self._session.execute(update(message).where(message.c.id == row.id).values(next_try_at=next_poll))
        return [AwaitedReport(row.id, row.provider, row.provider_reference, row.handed_over_at) for row in rows]

    async def record_delivery(self, provider: str, provider_reference: str, delivery: Delivery) -> bool:
        """Record a provider's report; return False if there is no such message. A late or repeated one is ignored."""
        same = (message.c.provider == provider, message.c.provider_reference == provider_reference)
        found = (await self._session.execute(select(message.c.id).where(*same))).scalars().first()
        if found is None:
            return False
        if delivery is Delivery.DELIVERED:
            await self._session.execute(
                update(message)
                .where(message.c.id == found, may_become(State.DELIVERED))
                .values(state=State.DELIVERED, delivered_at=datetime.now(UTC))
            )
        if delivery is Delivery.FAILED:
            await self._fail(Trouble.NOT_DELIVERED, message.c.id == found, message.c.state == State.HANDED_OVER)
            await self._mark_attempts_failed(found)
        return True

    async def requeue(self, lost: AwaitedReport) -> bool:
        """Queue a message again that its provider accepted and no longer has; return False if its state has changed.

        The message is ambiguous: the provider is asked by our reference before the message is sent again.
        """
        requeued = (
            update(message)
            .where(
                message.c.id == lost.id,
                message.c.state == State.HANDED_OVER,
                message.c.provider_reference == lost.provider_reference,
                message.c.tries < MAX_ATTEMPTS,
            )
            .values(state=State.QUEUED, next_try_at=datetime.now(UTC), last_error=Trouble.NO_REPORT)
            .returning(message.c.id)
        )
        if (await self._session.execute(requeued)).first() is None:
            return False
        await self._mark_attempts_failed(lost.id)
        notify_after_commit(self._session)
        return True

    async def close_overdue(self) -> None:
        """Count slow deliveries against their providers, and fail messages without attempts or reports to come."""
        now = datetime.now(UTC)
        # By the attempts: only those of a day are kept, and they have an index by time.
        handed_over = (
            select(message.c.id, message.c.handed_over_at, message.c.delivered_at)
            .join(attempt, attempt.c.message_id == message.c.id)
            .where(
                attempt.c.at > now - STATS_PERIOD - SLOW_AFTER,
                message.c.provider.is_not(None),
                message.c.handed_over_at.between(now - STATS_PERIOD - SLOW_AFTER, now - SLOW_AFTER),
                message.c.delivered_at.is_(None) | (message.c.delivered_at > message.c.handed_over_at),
            )
        )
        slow = {
            row.id
            for row in await self._session.execute(handed_over)
            if row.delivered_at is None or row.delivered_at - row.handed_over_at > SLOW_AFTER
        }
        if slow:
            await self._mark_attempts_failed(*slow)
        await self._fail(Trouble.NO_REPORT, awaited, message.c.handed_over_at < now - REPORT_TIMEOUT)
        ended = (message.c.state == State.QUEUED) | (message.c.next_try_at < now)
        await self._fail(Trouble.EXPIRED, unfinished, message.c.expires_at < now, ended)
        # Each attempt ended in a crash of the dispatcher.
        await self._fail(Trouble.NO_ANSWER, unfinished, message.c.next_try_at < now, message.c.tries >= MAX_ATTEMPTS)
        await self._session.execute(delete(attempt).where(attempt.c.at < now - timedelta(days=1)))

    async def lateness(self) -> dict[ChannelName, float]:
        """Return how many seconds the most overdue message of each channel is late; 0 if none is."""
        now = datetime.now(UTC)
        rows = await self._session.execute(
            select(message.c.channel, func.min(message.c.next_try_at)).where(unfinished).group_by(message.c.channel)
        )
        late = {ChannelName(row[0]): max(0.0, (now - row[1]).total_seconds()) for row in rows.all()}
        return dict.fromkeys(ChannelName, 0.0) | late

    async def count_failed(self) -> Mapping[tuple[ChannelName, Trouble], int]:
        """Count the failed messages of the last day by channel and trouble."""
        rows = await self._session.execute(
            select(message.c.channel, message.c.last_error, func.count())
            .where(message.c.state == State.FAILED, message.c.created_at > datetime.now(UTC) - FAILED_PERIOD)
            .group_by(message.c.channel, message.c.last_error)
        )
        return {(ChannelName(channel), Trouble(trouble)): count for channel, trouble, count in rows.all()}

    async def _mark_attempts_failed(self, *messages: uuid.UUID) -> None:
        await self._session.execute(update(attempt).where(attempt.c.message_id.in_(messages)).values(bad=True))

    async def _fail(self, trouble: Trouble, *which: ColumnElement[bool]) -> None:
        await self._session.execute(
            update(message).where(*which, may_become(State.FAILED)).values(state=State.FAILED, last_error=trouble)
        )
