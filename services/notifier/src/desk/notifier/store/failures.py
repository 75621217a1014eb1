"""SMS that finally failed, of which tracking is to be notified once."""

from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from desk.notifier.domain import UNREPORTED, ChannelName, Template, Trouble
from desk.notifier.store.tables import message, unpublished_failure


@dataclass(frozen=True, slots=True)
class FailedNotice:
    """A notice that was not delivered, without its recipient and text. ``seq`` is the number of its event."""

    tracking_code: str
    template: Template
    channel: ChannelName
    trouble: Trouble
    seq: int


class FailureStore:
    """Failed messages in one session."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def take(self, limit: int) -> list[FailedNotice]:
        """Return up to ``limit`` failed SMS about requests and mark them as published; skip locked ones.

        Failed emails, codes and warnings are marked only: an email is an addition to the SMS, a code belongs to no
        request, and a warning went to a mobile that is no longer the contact.
        """
        query = (
            select(message.c.id, message.c.tracking_code, message.c.template, message.c.channel)
            .add_columns(message.c.last_error, message.c.seq)
            .where(unpublished_failure)
            .order_by(message.c.created_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        rows = (await self._session.execute(query)).all()
        if rows:
            ids = [row.id for row in rows]
            await self._session.execute(update(message).where(message.c.id.in_(ids)).values(failure_published=True))
        return [
            FailedNotice(
                row.tracking_code,
                Template(row.template),
                ChannelName(row.channel),
                Trouble(row.last_error or Trouble.UNEXPECTED),
                row.seq or 1,
            )
            for row in rows
            if row.channel == ChannelName.SMS and row.template not in UNREPORTED
        ]
