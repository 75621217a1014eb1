"""The files of applicants' replies: promised to a reply first, and claimed once the reply is published."""

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import func, or_, select, update

from desk.chassis.crypto import Vault
from desk.database import DatabaseSession
from desk.intake.domain import Attachment
from desk.intake.store.attachments import SELECT_ATTACHMENTS, in_order
from desk.intake.store.tables import attachment


class ReplyAttachmentStore:
    """Reads and writes which files belong to which reply."""

    def __init__(self, session: DatabaseSession, vault: Vault) -> None:
        self._session = session
        self._vault = vault

    async def available(self, request_id: str, reply: str, ids: Sequence[str]) -> list[Attachment]:
        """Lock and return those of ``ids`` that were uploaded for this request and are unclaimed or this reply's.

        They are in the given order.
        """
        rows = await self._session.execute(
            SELECT_ATTACHMENTS.where(
                attachment.c.id.in_(ids),
                attachment.c.reply_request_id == request_id,
                or_(attachment.c.request_id.is_(None), attachment.c.reply == reply),
            ).with_for_update(of=attachment)
        )
        return in_order(ids, rows.all(), self._vault)

    async def promise(self, ids: Sequence[str], reply: str) -> None:
        """Make unclaimed files part of the request they were uploaded for, until their reply is published."""
        await self._session.execute(
            update(attachment)
            .where(attachment.c.id.in_(ids), attachment.c.request_id.is_(None))
            .values(request_id=attachment.c.reply_request_id, reply=reply, promised_at=datetime.now(UTC))
        )

    async def claim(self, request_id: str, ids: Sequence[str]) -> int:
        """Make promised files part of the request permanently; return how many of them exist."""
        theirs = attachment.c.request_id == request_id, attachment.c.id.in_(ids)
        await self._session.execute(update(attachment).where(*theirs).values(promised_at=None))
        return int((await self._session.execute(select(func.count()).where(*theirs))).scalar_one())

    async def count_promised_before(self, moment: datetime) -> int:
        """Count the files promised before a moment to a reply that has not been published."""
        query = select(func.count()).where(attachment.c.promised_at < moment)
        return int((await self._session.execute(query)).scalar_one())
