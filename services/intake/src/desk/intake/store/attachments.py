"""The rows of applicants' files; their contents are in the object store."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Row, and_, delete, func, insert, or_, select, update

from desk.chassis.crypto import Vault
from desk.database import DatabaseSession, DataKeys, data_key
from desk.intake.domain import Attachment, CheckedFile, Uploader
from desk.intake.store.tables import attachment
from desk.security.data_keys import DataKey

SELECT_ATTACHMENTS = select(attachment, data_key.c.wrapped).outerjoin(data_key, data_key.c.id == attachment.c.id)
"""Attachments with their data keys."""


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An encrypted file in the object store: under which key, and its data key, whose id is the file's."""

    object_key: str
    key: DataKey
    scan_due_at: datetime | None
    """When the malware scanner is asked again; None for a file that is clean."""


class AttachmentStore:
    """Reads and writes the rows of applicants' files."""

    def __init__(self, session: DatabaseSession, vault: Vault) -> None:
        self._session = session
        self._vault = vault
        self._keys = DataKeys(vault)

    async def add(self, file: CheckedFile, uploader: Uploader, stored: StoredObject) -> None:
        """Insert an unclaimed attachment and its key."""
        file_id = stored.key.id
        await self._keys.add(self._session, stored.key)
        await self._session.execute(
            insert(attachment).values(
                id=file_id,
                owner_index=self._owners(uploader.national_id)[0],
                upload_session=uploader.upload_session,
                reply_request_id=uploader.reply_request_id,
                name=stored.key.seal(file.name.encode(), f"attachment.name:{file_id}"),
                size=file.size,
                media_type=file.media_type,
                sha256=file.sha256,
                uploaded_at=datetime.now(UTC),
                object_key=stored.object_key,
                scan_due_at=stored.scan_due_at,
            )
        )

    async def lock_uploads(self, uploader: Uploader) -> None:
        """Make other transactions that lock the same upload session or reply wait until this one ends.

        Without it, files sent at the same time would all be counted before any of them is inserted. SQLite runs one
        writing transaction at a time anyway.
        """
        if self._session.dialect == "postgresql":
            key = f"uploads:{uploader.upload_session or uploader.reply_request_id}"
            await self._session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(key, 0))))

    async def count_unclaimed(self, uploader: Uploader) -> int:
        """Count the unclaimed files of an upload session, or of a reply."""
        query = select(func.count()).where(_of_uploader(uploader), attachment.c.request_id.is_(None))
        return int((await self._session.execute(query)).scalar_one())

    async def unclaimed(self, ids: Sequence[str], national_id: str) -> list[Attachment]:
        """Lock and return those of ``ids`` that the applicant owns and no request has claimed, in the given order."""
        rows = await self._session.execute(
            SELECT_ATTACHMENTS.where(
                attachment.c.id.in_(ids),
                attachment.c.owner_index.in_(self._owners(national_id)),
                attachment.c.request_id.is_(None),
            ).with_for_update(of=attachment)
        )
        return in_order(ids, rows.all(), self._vault)

    async def claim(self, ids: Sequence[str], request_id: UUID) -> None:
        """Make the files part of the request."""
        await self._session.execute(
            update(attachment).where(attachment.c.id.in_(ids)).values(request_id=str(request_id))
        )

    async def of_request(self, request_id: UUID) -> list[Attachment]:
        """List the files that were submitted with a request."""
        rows = await self._session.execute(
            SELECT_ATTACHMENTS.where(attachment.c.request_id == str(request_id), attachment.c.reply.is_(None)).order_by(
                attachment.c.uploaded_at
            )
        )
        return [read_attachment(row, self._vault) for row in rows.all()]

    async def delete_unclaimed(self, file_id: str, national_id: str) -> str | None:
        """Delete an unclaimed file of the applicant and its key; return its object, None if there is no such file."""
        deleted = await self._session.execute(
            delete(attachment)
            .where(
                attachment.c.id == file_id,
                attachment.c.owner_index.in_(self._owners(national_id)),
                attachment.c.request_id.is_(None),
            )
            .returning(attachment.c.id, attachment.c.object_key)
        )
        row = deleted.first()
        if row is None:
            return None
        await self._keys.destroy(self._session, [file_id])
        return row.object_key or file_id

    async def unclaimed_before(self, uploaded: datetime, promised: datetime, limit: int) -> dict[str, str]:
        """Lock up to ``limit`` files and return the object of each id.

        Files that another session has locked are skipped. They were uploaded before ``uploaded`` and not claimed, or
        promised to a reply before ``promised`` and the reply was not published.
        """
        rows = await self._session.execute(
            select(attachment.c.id, attachment.c.object_key)
            .where(
                or_(
                    and_(attachment.c.request_id.is_(None), attachment.c.uploaded_at < uploaded),
                    attachment.c.promised_at < promised,
                )
            )
            .order_by(attachment.c.uploaded_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        return {row.id: row.object_key or row.id for row in rows.all()}

    async def delete(self, ids: Sequence[str]) -> None:
        """Delete the rows of these files and their keys."""
        await self._session.execute(delete(attachment).where(attachment.c.id.in_(ids)))
        await self._keys.destroy(self._session, ids)

    def _owners(self, national_id: str) -> list[str]:
        return self._vault.indexes(national_id, "national_id")


def _of_uploader(uploader: Uploader) -> ColumnElement[bool]:
    if uploader.reply_request_id is not None:
        return attachment.c.reply_request_id == uploader.reply_request_id
    return attachment.c.upload_session == uploader.upload_session


def read_attachment(row: Row[tuple[object, ...]], vault: Vault) -> Attachment:
    """Build an attachment from a row of its table."""
    return Attachment(
        id=row.id,
        name=DataKeys(vault).open(row.name, f"attachment.name:{row.id}", row.id, row.wrapped).decode(),
        size=row.size,
        media_type=row.media_type,
        sha256=row.sha256,
        object_key=row.object_key or row.id,
    )


def in_order(ids: Sequence[str], rows: Sequence[Row[tuple[object, ...]]], vault: Vault) -> list[Attachment]:
    """Build attachments from rows, in the order of ``ids``; ids without a row are left out."""
    found = {row.id: read_attachment(row, vault) for row in rows}
    return [found[file_id] for file_id in ids if file_id in found]
