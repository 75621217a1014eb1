"""The files that an applicant and the province of a case may download, and the province of each case."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Row, Select, Table, func, insert, or_, select, union_all

from desk.chassis.crypto import Vault
from desk.database import DatabaseSession, DataKeys, data_key, insert_into
from desk.intake.domain import Attachment, CheckedFile, IdentityState
from desk.intake.store.attachments import StoredObject
from desk.intake.store.tables import answer_file, attachment, handover, identity_check, request
from desk.security.data_keys import DataKey

_RELEASED = or_(
    identity_check.c.state.is_(None),
    identity_check.c.state.in_([IdentityState.CONFIRMED, IdentityState.UNCONFIRMED]),
)
"""No province receives a request before the look-up of its applicant has ended."""
_CASES = request.outerjoin(identity_check).outerjoin(handover)


def _is_with(province_key: str) -> ColumnElement[bool]:
    first = func.coalesce(func.nullif(request.c.office, ""), request.c.province)
    return func.coalesce(handover.c.province, first) == province_key


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file of a case. ``key`` is its data key, None for a file that was stored before files were encrypted."""

    file: Attachment
    key: DataKey | None
    pending: bool
    """Whether the malware scanner has not examined it yet."""
    malware: str | None
    """What the malware scanner has found in it."""


class CaseFileStore:
    """Reads and writes the provinces of cases and the files of answers."""

    def __init__(self, session: DatabaseSession, vault: Vault) -> None:
        self._session = session
        self._vault = vault
        self._keys = DataKeys(vault)

    async def hand_over(self, request_id: str, province_key: str, seq: int) -> None:
        """Record a referral, unless a later one is recorded."""
        new = insert_into(self._session.dialect, handover).values(request_id=request_id, province=province_key, seq=seq)
        await self._session.execute(
            new.on_conflict_do_update(
                index_elements=["request_id"],
                set_={"province": new.excluded.province, "seq": new.excluded.seq},
                where=handover.c.seq < new.excluded.seq,
            )
        )

    async def case_of(self, province_key: str, tracking_code: str) -> str | None:
        """Return the request id of the province's case with this code; it is locked against its erasure."""
        found = _RELEASED, request.c.erased_at.is_(None), request.c.tracking_code == tracking_code
        query = select(request.c.id).select_from(_CASES).where(*found, _is_with(province_key))
        query = query.with_for_update(read=True, of=request)
        return (await self._session.execute(query)).scalar_one_or_none()

    async def count(self, request_id: str, province_key: str) -> int:
        """Count the files a province has uploaded for a case."""
        query = select(func.count()).where(
            answer_file.c.request_id == request_id, answer_file.c.province == province_key
        )
        return int((await self._session.execute(query)).scalar_one())

    async def add(self, file: CheckedFile, request_id: str, province_key: str, stored: StoredObject) -> None:
        """Insert a file of an answer and its key."""
        file_id = stored.key.id
        await self._keys.add(self._session, stored.key)
        await self._session.execute(
            insert(answer_file).values(
                id=file_id,
                request_id=request_id,
                province=province_key,
                name=stored.key.seal(file.name.encode(), f"answer_file.name:{file_id}"),
                size=file.size,
                media_type=file.media_type,
                sha256=file.sha256,
                uploaded_at=datetime.now(UTC),
                object_key=stored.object_key,
                scan_due_at=stored.scan_due_at,
            )
        )

    async def answer_files(self, tracking_code: str, province_key: str, ids: Sequence[str]) -> list[StoredFile]:
        """Return those of the files that the province has uploaded for the case. Raises KeyDestroyedError."""
        query = select_files(answer_file, answer_file.join(request, answer_file.c.request_id == request.c.id)).where(
            request.c.tracking_code == tracking_code,
            answer_file.c.province == province_key,
            answer_file.c.id.in_(ids),
        )
        rows = (await self._session.execute(query)).all()
        return [read_file(row, answer_file.name, self._vault) for row in rows]

    async def for_province(self, file_id: str, province_key: str) -> StoredFile | None:
        """Return a file of one of the province's cases. Raises KeyDestroyedError."""
        return await self._file(file_id, (_RELEASED, _is_with(province_key)))

    async def for_applicant(self, file_id: str, tracking_code: str) -> StoredFile | None:
        """Return a file of the request with this code. Raises KeyDestroyedError."""
        return await self._file(file_id, (request.c.tracking_code == tracking_code,))

    async def of_any_case(self, file_id: str) -> StoredFile | None:
        """Return a file that belongs to a request. Raises KeyDestroyedError."""
        return await self._file(file_id, ())

    async def tracking_code_of(self, file_id: str) -> str:
        """Return the tracking code of the request of a file that exists."""
        owners = [select(table.c.request_id).where(table.c.id == file_id) for table in (attachment, answer_file)]
        query = select(request.c.tracking_code).where(request.c.id.in_(union_all(*owners)))
        return str((await self._session.execute(query)).scalar_one())

    async def _file(self, file_id: str, conditions: Sequence[ColumnElement[bool]]) -> StoredFile | None:
        for table in (attachment, answer_file):
            query = select_files(table, _CASES.join(table, table.c.request_id == request.c.id))
            row = (await self._session.execute(query.where(table.c.id == file_id, *conditions))).first()
            if row is not None:
                return read_file(row, table.name, self._vault)
        return None


def select_files(table: Table, source: FromClause | None = None) -> Select[tuple[Any, ...]]:
    """Return the query of a table's files with their data keys, as part of ``source``."""
    keyed = (table if source is None else source).outerjoin(data_key, data_key.c.id == table.c.id)
    return select(table, data_key.c.wrapped).select_from(keyed)


def read_file(row: Row[Any], table: str, vault: Vault) -> StoredFile:
    """Build a file from a row of :func:`select_files`. Raises KeyDestroyedError."""
    keys = DataKeys(vault)
    name = keys.open(row.name, f"{table}.name:{row.id}", row.id, row.wrapped).decode()
    file = Attachment(row.id, name, row.size, row.media_type, row.sha256, row.object_key or row.id)
    key = keys.unwrap(row.id, row.wrapped) if row.object_key else None
    return StoredFile(file, key, row.scan_due_at is not None, row.malware)
