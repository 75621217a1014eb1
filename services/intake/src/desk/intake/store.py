"""Intake's tables: requests, their attachments, and identities to be checked later.

Personal data is sealed; look-ups go by blind index.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
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
    and_,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession

from desk.chassis.crypto import Vault
from desk.chassis.db import UtcDateTime, insert_into, new_metadata
from desk.chassis.events import add_event_tables
from desk.intake.domain import (
    Applicant,
    Contact,
    IdentityState,
    Outcome,
    Person,
    Request,
    choose_subject,
)
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
    Column("reply", String(64)),
    Column("promised_at", UtcDateTime),
)
"""A file of an applicant. ``visit`` is the identity token it came with or, for a reply, the request it was put up for;
``reply`` is which reply it belongs to, and ``promised_at`` is set as long as that is not announced."""
Index(
    "ix_attachment_promised",
    attachment.c.promised_at,
    postgresql_where=attachment.c.promised_at.is_not(None),
    sqlite_where=attachment.c.promised_at.is_not(None),
)
Index(
    "ix_attachment_unclaimed",
    attachment.c.owner_index,
    attachment.c.uploaded_at,
    postgresql_where=attachment.c.request_id.is_(None),
    sqlite_where=attachment.c.request_id.is_(None),
)
identity_check = Table(
    "identity_check",
    metadata,
    Column("request_id", String(36), ForeignKey("request.id"), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("submitted_at", UtcDateTime, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("next_check_at", UtcDateTime, nullable=False),  # while one is under way: when its claim lapses
    Column("outcome", String(16)),
    Column("checked_at", UtcDateTime),
    Column("person", LargeBinary),
)
"""One row for each request that was sent before the civil registry had answered."""
Index(
    "ix_identity_check_pending",
    identity_check.c.next_check_at,
    postgresql_where=identity_check.c.state == IdentityState.PENDING.value,
    sqlite_where=identity_check.c.state == IdentityState.PENDING.value,
)

handover = Table(
    "handover",
    metadata,
    Column("request_id", String(36), ForeignKey("request.id"), primary_key=True),
    Column("province", String(40), nullable=False),
    Column("seq", Integer, nullable=False),
)
"""Where a request is now, if it was referred: the latest referral heard of, by the number of its event."""
answer_file = Table(
    "answer_file",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("request_id", String(36), ForeignKey("request.id"), nullable=False, index=True),
    Column("province", String(40), nullable=False),
    Column("name", LargeBinary, nullable=False),
    Column("size", Integer, nullable=False),
    Column("media_type", String(96), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("uploaded_at", UtcDateTime, nullable=False),
)
"""A file a province put up for its answer."""

LEASE = timedelta(minutes=1)
"""How long a claimed check is left to who claimed it; far longer than the registry may take to answer."""


@cache
def _add_request(dialect: str) -> Executable:
    """Build the INSERT once: it is run for every submission."""
    return (
        insert_into(dialect, request)
        .on_conflict_do_nothing(index_elements=["idempotency_index"])
        .returning(request.c.id)
    )


_REQUESTS = select(request, identity_check.c.state.label("identity")).outerjoin(identity_check)


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
        row = (await self._session.execute(_REQUESTS.where(request.c.idempotency_index == idempotency_index))).first()
        return (self._request(row), row.fingerprint) if row else None

    async def find(self, national_id: str, tracking_code: str) -> Request | None:
        """Find a person's request by its code."""
        row = (
            await self._session.execute(
                _REQUESTS.where(
                    request.c.tracking_code == tracking_code,
                    request.c.owner_index == self._vault.index(national_id, "national_id"),
                )
            )
        ).first()
        return self._request(row) if row else None

    async def submitted_between(
        self, since: datetime, until: datetime, *, after: str, limit: int
    ) -> list[tuple[str, IdentityState, datetime | None]]:
        """List codes greater than ``after`` of a period, in their order, with what is known of the identity.

        If that was pending once, the moment says since when it is not.
        """
        query = (
            select(request.c.tracking_code, identity_check.c.state, identity_check.c.checked_at)
            .outerjoin(identity_check)
            .where(request.c.submitted_at >= since, request.c.submitted_at < until, request.c.tracking_code > after)
            .order_by(request.c.tracking_code)
            .limit(limit)
        )
        rows = (await self._session.execute(query)).all()
        return [(code, IdentityState(state) if state else IdentityState.KNOWN, since) for code, state, since in rows]

    async def by_id(self, request_id: str) -> Request:
        """Read one request that is known to be there."""
        return self._request((await self._session.execute(_REQUESTS.where(request.c.id == request_id))).one())

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
            identity=IdentityState(row.identity) if row.identity else IdentityState.KNOWN,
        )


@dataclass(frozen=True, slots=True)
class Claim:
    """One check that is this process's to make; ``tries`` counts it too, and tells the claim from a later one."""

    request: Request
    tries: int


@dataclass(frozen=True, slots=True)
class Pending:
    """How many identities wait, and for how many seconds the oldest does."""

    count: int
    oldest_seconds: float


class CheckStore:
    """Reads and writes the identities that are to be checked later."""

    def __init__(self, session: AsyncSession, vault: Vault) -> None:
        self._session = session
        self._vault = vault

    async def add(self, new: Request, next_check_at: datetime) -> None:
        """Note that the applicant of this request is to be looked up."""
        await self._session.execute(
            insert(identity_check).values(
                request_id=str(new.id),
                state=IdentityState.PENDING,
                submitted_at=new.submitted_at,
                tries=0,
                next_check_at=next_check_at,
            )
        )

    async def claim(self) -> Claim | None:
        """Claim the check that is due longest; one that another session is claiming is passed over."""
        longest_due = (
            select(identity_check.c.request_id)
            .where(
                identity_check.c.state == IdentityState.PENDING,
                identity_check.c.next_check_at <= datetime.now(UTC),
            )
            .order_by(identity_check.c.next_check_at)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        request_id = (await self._session.execute(longest_due)).scalar_one_or_none()
        if request_id is None:
            return None
        claimed = (
            update(identity_check)
            .where(identity_check.c.request_id == request_id)
            .values(tries=identity_check.c.tries + 1, next_check_at=datetime.now(UTC) + LEASE)
            .returning(identity_check.c.tries)
        )
        tries = (await self._session.execute(claimed)).scalar_one()
        return Claim(await RequestStore(self._session, self._vault).by_id(request_id), tries)

    async def put_off(self, claim: Claim, outcome: Outcome, next_check_at: datetime) -> bool:
        """Keep the check for a later time; False if the claim has lapsed and another has taken over."""
        return await self._record(claim, outcome=outcome, next_check_at=next_check_at)

    async def settle(self, claim: Claim, state: IdentityState, outcome: Outcome, person: Person | None) -> bool:
        """Record the end of a check; False if the claim has lapsed and another has taken over."""
        named = json.dumps(asdict(person)).encode() if person else None
        return await self._record(
            claim,
            state=state,
            outcome=outcome,
            checked_at=datetime.now(UTC),
            person=self._vault.seal(named, f"identity_check.person:{claim.request.id}") if named else None,
        )

    async def withdraw(self, tracking_code: str) -> IdentityState | None:
        """End the check of a request taken back while it was pending, also one under way.

        Give what is known of the identity then: anything but ``WITHDRAWN`` was decided before. None if there is no
        such request.
        """
        of_request = select(request.c.id).where(request.c.tracking_code == tracking_code).scalar_subquery()
        await self._session.execute(
            update(identity_check)
            .where(identity_check.c.request_id == of_request, identity_check.c.state == IdentityState.PENDING)
            .values(state=IdentityState.WITHDRAWN, checked_at=datetime.now(UTC))
        )
        query = select(identity_check.c.state).select_from(request).outerjoin(identity_check)
        row = (await self._session.execute(query.where(request.c.tracking_code == tracking_code))).first()
        if row is None:
            return None
        return IdentityState(row.state) if row.state else IdentityState.KNOWN

    async def _record(self, claim: Claim, **values: object) -> bool:
        recorded = await self._session.execute(
            update(identity_check)
            .where(
                identity_check.c.request_id == str(claim.request.id),
                identity_check.c.state == IdentityState.PENDING,
                identity_check.c.tries == claim.tries,
            )
            .values(**values)
            .returning(identity_check.c.request_id)
        )
        return recorded.first() is not None

    async def pending(self) -> Pending:
        """Tell how much waits to be checked."""
        query = select(func.count(), func.min(identity_check.c.submitted_at)).where(
            identity_check.c.state == IdentityState.PENDING
        )
        count, oldest = (await self._session.execute(query)).one()
        return Pending(count, (datetime.now(UTC) - oldest).total_seconds() if oldest is not None else 0.0)


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
