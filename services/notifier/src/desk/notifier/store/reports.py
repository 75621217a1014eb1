"""Messages from their hand-over to their end."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from desk.database import notify_after_commit
from desk.notifier.domain import (
    GIVEN_UP_AFTER,
    MOST_TRIES,
    RECENTLY,
    REDRIVEN_AFTER,
    SLOW_AFTER,
    ChannelName,
    Delivery,
    State,
    Trouble,
    question_after,
)
from desk.notifier.store.tables import attempt, awaited, may_become, message, unfinished

SHOWN_FOR = timedelta(days=1)
"""How long messages that were given up are counted."""


@dataclass(frozen=True, slots=True)
class Awaited:
    """A message handed over of which nobody knows whether it arrived."""

    id: uuid.UUID
    provider: str
    provider_reference: str
    handed_over_at: datetime

    @property
    def overdue(self) -> bool:
        """True if it is time to hand it over again, should its provider know nothing of it."""
        return datetime.now(UTC) - self.handed_over_at > REDRIVEN_AFTER


class ReportStore:
    """Messages in one session, once they are handed over."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def await_reports(self, limit: int) -> list[Awaited]:
        """Return messages that are to be asked about now, and put the next question off."""
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
            next_question = now + question_after(now - row.handed_over_at)
            await self._session.execute(update(message).where(message.c.id == row.id).values(next_try_at=next_question))
        return [Awaited(row.id, row.provider, row.provider_reference, row.handed_over_at) for row in rows]

    async def record_delivery(self, provider: str, provider_reference: str, delivery: Delivery) -> bool:
        """Record a provider's report; False if there is no such message. A late or repeated report changes nothing."""
        here = (message.c.provider == provider, message.c.provider_reference == provider_reference)
        found = (await self._session.execute(select(message.c.id).where(*here))).scalars().first()
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
            await self._blame(found)
        return True

    async def redrive(self, lost: Awaited) -> bool:
        """Queue a message again that its provider took and knows nothing of; False if it has come to an end meanwhile.

        It is in doubt: that provider is asked for it by our reference before anybody is handed it again.
        """
        again = (
            update(message)
            .where(
                message.c.id == lost.id,
                message.c.state == State.HANDED_OVER,
                message.c.provider_reference == lost.provider_reference,
                message.c.tries < MOST_TRIES,
            )
            .values(state=State.QUEUED, next_try_at=datetime.now(UTC), last_error=Trouble.NO_REPORT)
            .returning(message.c.id)
        )
        if (await self._session.execute(again)).first() is None:
            return False
        await self._blame(lost.id)
        notify_after_commit(self._session)
        return True

    async def settle(self) -> None:
        """Count against their providers what took too long, and end what has no tries or no reports to come."""
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
            await self._blame(*slow)
        await self._fail(Trouble.NO_REPORT, awaited, message.c.handed_over_at < now - GIVEN_UP_AFTER)
        # Whoever took it on last was killed over it each time.
        await self._fail(Trouble.NO_ANSWER, unfinished, message.c.next_try_at < now, message.c.tries >= MOST_TRIES)
        await self._session.execute(delete(attempt).where(attempt.c.at < now - timedelta(days=1)))

    async def latest_due(self) -> dict[ChannelName, float]:
        """Return, for each channel, how many seconds the message that is late most is overdue; 0 if none is."""
        now = datetime.now(UTC)
        rows = await self._session.execute(
            select(message.c.channel, func.min(message.c.next_try_at)).where(unfinished).group_by(message.c.channel)
        )
        late = {ChannelName(row[0]): max(0.0, (now - row[1]).total_seconds()) for row in rows.all()}
        return dict.fromkeys(ChannelName, 0.0) | late

    async def given_up(self) -> Mapping[tuple[ChannelName, Trouble], int]:
        """Count the messages of the last day that failed for good, by channel and by why."""
        rows = await self._session.execute(
            select(message.c.channel, message.c.last_error, func.count())
            .where(message.c.state == State.FAILED, message.c.created_at > datetime.now(UTC) - SHOWN_FOR)
            .group_by(message.c.channel, message.c.last_error)
        )
        return {(ChannelName(channel), Trouble(trouble)): count for channel, trouble, count in rows.all()}

    async def _blame(self, *messages: uuid.UUID) -> None:
        await self._session.execute(update(attempt).where(attempt.c.message_id.in_(messages)).values(bad=True))

    async def _fail(self, trouble: Trouble, *which: ColumnElement[bool]) -> None:
        await self._session.execute(
            update(message).where(*which, may_become(State.FAILED)).values(state=State.FAILED, last_error=trouble)
        )
