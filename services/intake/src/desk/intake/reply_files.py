"""The files of an applicant's reply: put up by the tracking token, promised to the reply, claimed by its event."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog
from sqlalchemy import func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from desk.chassis.bus import ContractError
from desk.chassis.crypto import Vault
from desk.chassis.events import Received
from desk.chassis.storage import ObjectMissingError, ObjectStore, ObjectStoreUnavailableError
from desk.database import Database
from desk.intake.domain import Bearer, RequestNotFoundError, UnknownAttachmentError
from desk.intake.events import Replied
from desk.intake.service import StorageUnavailableError, Visitor
from desk.intake.store import Attachment, RequestStore, attachment, attachment_of, request

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ReplyFiles:
    """A file belongs to a reply from the moment it is promised; the promise lapses unless the reply is announced."""

    database: Database
    vault: Vault
    storage: ObjectStore

    async def visitor(self, tracking_code: str) -> Visitor:
        """Give the applicant of a request as somebody who puts up files, no more of them than with a request.

        Raises RequestNotFoundError.
        """
        async with self.database.transaction() as session:
            request_id = await ReplyFileStore(session, self.vault).request_of(tracking_code)
            if request_id is None:
                raise RequestNotFoundError
            applicant = (await RequestStore(session, self.vault).by_id(request_id)).applicant
        return Visitor(Bearer(applicant.national_id, applicant.birth_date, applicant.person), visit=request_id)

    async def promise(self, tracking_code: str, reply: str, ids: Sequence[str]) -> list[Attachment]:
        """Set files aside for a reply, all or none; the same reply is given the same again.

        Raises RequestNotFoundError, UnknownAttachmentError or StorageUnavailableError.
        """
        async with self.database.transaction() as session:
            await self._found(session, tracking_code, reply, ids)
        try:
            await asyncio.gather(*(self.storage.keep(file_id) for file_id in ids))
        except ObjectMissingError:
            raise UnknownAttachmentError("the object is gone") from None
        except ObjectStoreUnavailableError as error:
            raise StorageUnavailableError(str(error)) from error
        async with self.database.transaction() as session:
            found = await self._found(session, tracking_code, reply, ids)
            await ReplyFileStore(session, self.vault).promise(ids, reply)
        return found

    async def _found(
        self, session: AsyncSession, tracking_code: str, reply: str, ids: Sequence[str]
    ) -> list[Attachment]:
        store = ReplyFileStore(session, self.vault)
        request_id = await store.request_of(tracking_code)
        if request_id is None:
            raise RequestNotFoundError
        found = await store.at_hand(request_id, reply, ids)
        if len(found) != len(ids):
            raise UnknownAttachmentError
        return found

    async def hear_of_reply(self, session: AsyncSession, received: Received[Replied]) -> None:
        """Keep the files of a reply for good. Raises ContractError."""
        store, ids = ReplyFileStore(session, self.vault), [each.id for each in received.data.files]
        if not ids:
            return
        request_id = await store.request_of(received.data.tracking_code)
        if request_id is None:
            raise ContractError("a request intake has not taken")
        kept = await store.claim(request_id, ids)
        if kept < len(ids):
            log.error("files of a reply are gone", event_id=received.id, missing=len(ids) - kept)

    async def unannounced(self, session: AsyncSession, before: datetime) -> int:
        """Count the files promised before a moment to a reply that has not been announced."""
        return await ReplyFileStore(session, self.vault).unannounced(before)


class ReplyFileStore:
    """Reads and writes which files are whose."""

    def __init__(self, session: AsyncSession, vault: Vault) -> None:
        self._session = session
        self._vault = vault

    async def request_of(self, tracking_code: str) -> str | None:
        """Give the id of the request with this code."""
        query = select(request.c.id).where(request.c.tracking_code == tracking_code)
        return (await self._session.execute(query)).scalar_one_or_none()

    async def at_hand(self, request_id: str, reply: str, ids: Sequence[str]) -> list[Attachment]:
        """Lock those of ``ids`` that were put up for this request and are free, or this reply's; in the order given."""
        rows = await self._session.execute(
            select(attachment)
            .where(
                attachment.c.id.in_(ids),
                attachment.c.visit == request_id,
                or_(attachment.c.request_id.is_(None), attachment.c.reply == reply),
            )
            .with_for_update()
        )
        found = {row.id: attachment_of(row, self._vault) for row in rows.all()}
        return [found[file_id] for file_id in ids if file_id in found]

    async def promise(self, ids: Sequence[str], reply: str) -> None:
        """Make free files part of the request they were put up for, until their reply is announced."""
        await self._session.execute(
            update(attachment)
            .where(attachment.c.id.in_(ids), attachment.c.request_id.is_(None))
            .values(request_id=attachment.c.visit, reply=reply, promised_at=datetime.now(UTC))
        )

    async def claim(self, request_id: str, ids: Sequence[str]) -> int:
        """Make promised files part of the request for good; return how many there are."""
        theirs = attachment.c.request_id == request_id, attachment.c.id.in_(ids)
        await self._session.execute(update(attachment).where(*theirs).values(promised_at=None))
        return int((await self._session.execute(select(func.count()).where(*theirs))).scalar_one())

    async def unannounced(self, before: datetime) -> int:
        """Count the files promised before a moment to a reply that was never announced."""
        query = select(func.count()).where(attachment.c.promised_at < before)
        return int((await self._session.execute(query)).scalar_one())
