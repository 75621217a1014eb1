"""Intake's tables: requests and their attachments. Personal data is sealed; look-ups go by blind index."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cache
from uuid import UUID

from sqlalchemy import (
    Column,
    Executable,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Row,
    String,
    Table,
    delete,
    insert,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession

from desk.chassis.crypto import Vault
from desk.chassis.db import UtcDateTime, insert_into, new_metadata
from desk.chassis.events import add_event_tables
from desk.intake.domain import Applicant, Contact, Request, choose_subject
from desk.intake.files import CheckedFile

metadata = new_metadata()
add_event_tables(metadata)

request = Table(
    "request",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("tracking_code", String(12), nullable=False, unique=True),
    Column("owner_index", String(64), nullable=False),
    Column("idempotency_index", String(64), nullable=False, unique=True),
    Column("fingerprint", String(64), nullable=False),
    Column("province", String(40), nullable=False),
    Column("subject", String(40), nullable=False),
    Column("sub_subject", String(40), nullable=False),
    Column("submitted_at", UtcDateTime, nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    Column("personal", LargeBinary, nullable=False),
)
attachment = Table(
    "attachment",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("owner_index", String(64), nullable=False),
    Column("visit", String(36), nullable=False),
    Column("request_id", String(36), ForeignKey("request.id"), index=True),
    Column("name", LargeBinary, nullable=False),
    Column("size", Integer, nullable=False),
    Column("media_type", String(96), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("uploaded_at", UtcDateTime, nullable=False),
)
Index(
    "ix_attachment_unclaimed",
    attachment.c.owner_index,
    attachment.c.uploaded_at,
    postgresql_where=attachment.c.request_id.is_(None),
    sqlite_where=attachment.c.request_id.is_(None),
)


@cache
def _add_request(dialect: str) -> Executable:
    """Build the INSERT once: it is run for every submission."""
    return (
        insert_into(dialect, request)
        .on_conflict_do_nothing(index_elements=["idempotency_index"])
        .returning(request.c.id)
    )


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file an applicant put up; ``size`` is in bytes, ``sha256`` in hex."""

    id: str
    name: str
    size: int
    media_type: str
    sha256: str


class RequestStore:
    """Reads and writes requests."""

    def __init__(self, session: AsyncSession, vault: Vault) -> None:
        self._session = session
        self._vault = vault

    async def add(self, new: Request, *, idempotency_index: str, fingerprint: str) -> bool:
        """Write the request; False if one was sent with this key before, after waiting for it if it is under way.

        Raises IntegrityError if the tracking code is taken.
        """
        personal = {"applicant": asdict(new.applicant), "contact": asdict(new.contact), "text": new.text}
        added = await self._session.execute(
            _add_request(self._session.get_bind().dialect.name),
            {
                "id": str(new.id),
                "tracking_code": new.tracking_code,
                "owner_index": self._vault.index(new.applicant.national_id, "national_id"),
                "idempotency_index": idempotency_index,
                "fingerprint": fingerprint,
                "province": new.province,
                "subject": new.subject.key,
                "sub_subject": new.sub_subject.key,
                "submitted_at": new.submitted_at,
                "due_at": new.due_at,
                "personal": self._vault.seal(json.dumps(personal).encode(), f"request.personal:{new.id}"),
            },
        )
        return added.first() is not None

    async def by_key(self, idempotency_index: str) -> tuple[Request, str] | None:
        """Find the request that was sent with this key, and the fingerprint of its content."""
        row = (
            await self._session.execute(select(request).where(request.c.idempotency_index == idempotency_index))
        ).first()
        return (self._request(row), row.fingerprint) if row else None

    async def find(self, national_id: str, tracking_code: str) -> Request | None:
        """Find a person's request by its code."""
        row = (
            await self._session.execute(
                select(request).where(
                    request.c.tracking_code == tracking_code,
                    request.c.owner_index == self._vault.index(national_id, "national_id"),
                )
            )
        ).first()
        return self._request(row) if row else None

    def _request(self, row: Row[tuple[object, ...]]) -> Request:
        personal = json.loads(self._vault.open(row.personal, f"request.personal:{row.id}"))
        subject, sub_subject = choose_subject(row.subject, row.sub_subject)
        return Request(
            id=UUID(row.id),
            tracking_code=row.tracking_code,
            submitted_at=row.submitted_at,
            due_at=row.due_at,
            province=row.province,
            subject=subject,
            sub_subject=sub_subject,
            applicant=Applicant(**personal["applicant"]),
            contact=Contact(**personal["contact"]),
            text=personal["text"],
        )


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
        found = {row.id: self._attachment(row) for row in rows.all()}
        return [found[file_id] for file_id in ids if file_id in found]

    async def claim(self, ids: Sequence[str], request_id: UUID) -> None:
        """Make the files part of the request."""
        await self._session.execute(
            update(attachment).where(attachment.c.id.in_(ids)).values(request_id=str(request_id))
        )

    async def of_request(self, request_id: UUID) -> list[Attachment]:
        """List a request's files."""
        rows = await self._session.execute(
            select(attachment).where(attachment.c.request_id == str(request_id)).order_by(attachment.c.uploaded_at)
        )
        return [self._attachment(row) for row in rows.all()]

    async def claimed(self, file_id: str) -> Attachment | None:
        """Find a file that belongs to some request."""
        row = (
            await self._session.execute(
                select(attachment).where(attachment.c.id == file_id, attachment.c.request_id.is_not(None))
            )
        ).first()
        return self._attachment(row) if row else None

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

    async def unclaimed_before(self, before: datetime, limit: int) -> list[str]:
        """Lock up to ``limit`` unclaimed files put up before a moment, and return their ids."""
        rows = await self._session.execute(
            select(attachment.c.id)
            .where(attachment.c.request_id.is_(None), attachment.c.uploaded_at < before)
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

    def _attachment(self, row: Row[tuple[object, ...]]) -> Attachment:
        return Attachment(
            id=row.id,
            name=self._vault.open(row.name, f"attachment.name:{row.id}").decode(),
            size=row.size,
            media_type=row.media_type,
            sha256=row.sha256,
        )
