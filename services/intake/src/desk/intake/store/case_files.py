"""The files that an applicant and the province of a case may download, and the province of each case."""

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, func, insert, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from desk.chassis.crypto import Vault
from desk.database import insert_into
from desk.intake.domain import CheckedFile, IdentityState
from desk.intake.store.tables import answer_file, attachment, handover, identity_check, request

_RELEASED = or_(
    identity_check.c.state.is_(None),
    identity_check.c.state.in_([IdentityState.CONFIRMED, IdentityState.UNCONFIRMED]),
)
"""No province receives a request before the look-up of its applicant has ended."""
_CASES = select(request.c.id).outerjoin(identity_check).outerjoin(handover)


def _is_with(province_key: str) -> ColumnElement[bool]:
    return func.coalesce(handover.c.province, request.c.province) == province_key


class CaseFileStore:
    """Reads and writes the provinces of cases and the files of answers."""

    def __init__(self, session: AsyncSession, vault: Vault) -> None:
        self._session = session
        self._vault = vault

    async def hand_over(self, request_id: str, province_key: str, seq: int) -> None:
        """Record a referral, unless a later one is recorded."""
        new = insert_into(self._session.get_bind().dialect.name, handover).values(
            request_id=request_id, province=province_key, seq=seq
        )
        await self._session.execute(
            new.on_conflict_do_update(
                index_elements=["request_id"],
                set_={"province": new.excluded.province, "seq": new.excluded.seq},
                where=handover.c.seq < new.excluded.seq,
            )
        )

    async def case_of(self, province_key: str, tracking_code: str) -> str | None:
        """Return the request id of the province's case with this code."""
        query = _CASES.where(_RELEASED, request.c.tracking_code == tracking_code, _is_with(province_key))
        return (await self._session.execute(query)).scalar_one_or_none()

    async def count(self, request_id: str, province_key: str) -> int:
        """Count the files a province has uploaded for a case."""
        query = select(func.count()).where(
            answer_file.c.request_id == request_id, answer_file.c.province == province_key
        )
        return int((await self._session.execute(query)).scalar_one())

    async def add(self, file_id: str, file: CheckedFile, request_id: str, province_key: str) -> None:
        """Insert a file of an answer."""
        await self._session.execute(
            insert(answer_file).values(
                id=file_id,
                request_id=request_id,
                province=province_key,
                name=self._vault.seal(file.name.encode(), f"answer_file.name:{file_id}"),
                size=file.size,
                media_type=file.media_type,
                sha256=file.sha256,
                uploaded_at=datetime.now(UTC),
            )
        )

    async def name_for_province(self, file_id: str, province_key: str) -> str | None:
        """Return the name of a file of one of the province's cases."""
        return await self._name(file_id, (_RELEASED, _is_with(province_key)))

    async def name_for_applicant(self, file_id: str, tracking_code: str) -> str | None:
        """Return the name of a file of the request with this code."""
        return await self._name(file_id, (request.c.tracking_code == tracking_code,))

    async def _name(self, file_id: str, conditions: Sequence[ColumnElement[bool]]) -> str | None:
        for table in (attachment, answer_file):
            query = (
                _CASES.add_columns(table.c.name)
                .join(table, table.c.request_id == request.c.id)
                .where(table.c.id == file_id, *conditions)
            )
            row = (await self._session.execute(query)).first()
            if row is not None:
                return self._vault.open(row.name, f"{table.name}.name:{file_id}").decode()
        return None
