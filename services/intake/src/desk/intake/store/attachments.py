"""What is known of applicants' files; their contents lie in the object store."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import Row, and_, delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from desk.chassis.crypto import Vault
from desk.intake.files import CheckedFile
from desk.intake.store.tables import attachment


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file an applicant put up; ``size`` is in bytes, ``sha256`` in hex."""

    id: str
    name: str
    size: int
    media_type: str
    sha256: str


class AttachmentStore:
    """Reads and writes what is known of files; their contents lie in the object store."""

    def __init__(self, session: AsyncSession, vault: Vault) -> None:
        self._session = session
        self._vault = vault

    async def add(self, file_id: str, file: CheckedFile, *, national_id: str, visit: str) -> None:
        """Write an unclaimed attachment; ``visit`` names the identity token it came with."""
        await self._session.execute(
            insert(attachment).values(
                id=file_id,
                owner_index=self._owner(national_id),
                visit=visit,
                name=self._vault.seal(file.name.encode(), f"attachment.name:{file_id}"),
                size=file.size,
                media_type=file.media_type,
                sha256=file.sha256,
                uploaded_at=datetime.now(UTC),
            )
        )

    async def lock_uploads(self, visit: str) -> None:
        """Have other transactions that call this for the same visit wait until this one ends.

        Without it, files sent at the same time would all be counted before any of them is written. SQLite runs one
        writing transaction at a time anyway.
        """
        if self._session.get_bind().dialect.name == "postgresql":
            await self._session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(visit, 0))))

    async def waiting(self, visit: str) -> int:
        """Count the unclaimed files of one visit."""
        rows = await self._session.execute(
            select(attachment.c.id).where(attachment.c.visit == visit, attachment.c.request_id.is_(None))
        )
        return len(rows.all())

    async def unclaimed(self, ids: Sequence[str], national_id: str) -> list[Attachment]:
        """Find those of ``ids`` that are this person's and belong to no request yet, in the order given."""
        rows = await self._session.execute(
            select(attachment)
            .where(
                attachment.c.id.in_(ids),
                attachment.c.owner_index == self._owner(national_id),
                attachment.c.request_id.is_(None),
            )
            .with_for_update()
        )
        found = {row.id: attachment_of(row, self._vault) for row in rows.all()}
        return [found[file_id] for file_id in ids if file_id in found]

    async def claim(self, ids: Sequence[str], request_id: UUID) -> None:
        """Make the files part of the request."""
        await self._session.execute(
            update(attachment).where(attachment.c.id.in_(ids)).values(request_id=str(request_id))
        )

    async def of_request(self, request_id: UUID) -> list[Attachment]:
        """List the files a request was sent with."""
        rows = await self._session.execute(
            select(attachment)
            .where(attachment.c.request_id == str(request_id), attachment.c.reply.is_(None))
            .order_by(attachment.c.uploaded_at)
        )
        return [attachment_of(row, self._vault) for row in rows.all()]

    async def claimed(self, file_id: str) -> Attachment | None:
        """Find a file that belongs to some request."""
        row = (
            await self._session.execute(
                select(attachment).where(attachment.c.id == file_id, attachment.c.request_id.is_not(None))
            )
        ).first()
        return attachment_of(row, self._vault) if row else None

    async def remove_unclaimed(self, file_id: str, national_id: str) -> bool:
        """Delete this person's unclaimed file; False if there is none."""
        gone = await self._session.execute(
            delete(attachment)
            .where(
                attachment.c.id == file_id,
                attachment.c.owner_index == self._owner(national_id),
                attachment.c.request_id.is_(None),
            )
            .returning(attachment.c.id)
        )
        return gone.first() is not None

    async def unclaimed_before(self, uploaded: datetime, promised: datetime, limit: int) -> list[str]:
        """Lock up to ``limit`` files put up, or promised, before a moment and never claimed; return their ids."""
        rows = await self._session.execute(
            select(attachment.c.id)
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
        return [row.id for row in rows.all()]

    async def forget(self, ids: Sequence[str]) -> None:
        """Delete what is known of these files."""
        await self._session.execute(delete(attachment).where(attachment.c.id.in_(ids)))

    def _owner(self, national_id: str) -> str:
        return self._vault.index(national_id, "national_id")


def attachment_of(row: Row[tuple[object, ...]], vault: Vault) -> Attachment:
    """Read a row of the table of attachments."""
    return Attachment(
        id=row.id,
        name=vault.open(row.name, f"attachment.name:{row.id}").decode(),
        size=row.size,
        media_type=row.media_type,
        sha256=row.sha256,
    )
