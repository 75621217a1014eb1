"""SMS that finally failed, of which tracking is to be notified once."""

from dataclasses import dataclass

from sqlalchemy import exists, select, update

from desk.database import DatabaseSession
from desk.notifier.domain import UNREPORTED, ChannelName, Template, Trouble
from desk.notifier.store.tables import message, unpublished_failure

_warning = message.alias("warning")
_to_former_mobile = (
    exists()
    .where(
        _warning.c.tracking_code == message.c.tracking_code,
        _warning.c.template == Template.CONTACT_CHANGED,
        _warning.c.channel == ChannelName.SMS,
        _warning.c.recipient_index == message.c.recipient_index,
        _warning.c.seq > message.c.seq,
    )
    .label("to_former_mobile")
)
"""Whether the applicant has corrected this mobile since then: the warning about it went to the same number."""


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

    def __init__(self, session: DatabaseSession) -> None:
        self._session = session

    async def take(self, limit: int) -> list[FailedNotice]:
        """Return up to ``limit`` failed SMS about requests and mark them as published; skip locked ones.

        Some are marked only: a failed email, because it is an addition to the SMS; a code, which belongs to no request;
        and a warning or a notice to a mobile that is no longer the contact, because the applicant has corrected it.
        """
        query = (
            select(message.c.id, message.c.tracking_code, message.c.template, message.c.channel)
            .add_columns(message.c.last_error, message.c.seq, _to_former_mobile)
            .where(unpublished_failure)
            .order_by(message.c.created_at)
            .limit(limit)
            .with_for_update(skip_locked=True, of=message)
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
            if row.channel == ChannelName.SMS and row.template not in UNREPORTED and not row.to_former_mobile
        ]
