"""The files of cases: who may fetch them by a short-lived link, and those a province puts up for its answer."""

import asyncio
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import BinaryIO

from sqlalchemy import ColumnElement, func, insert, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from desk.chassis.bus import ContractError
from desk.chassis.crypto import Vault
from desk.chassis.events import Received
from desk.chassis.storage import ObjectMissingError, ObjectStore, ObjectStoreUnavailableError
from desk.database import Database, insert_into
from desk.intake import files
from desk.intake.domain import CaseNotFoundError, FileNotFoundHereError, IdentityState, TooManyAnswerFilesError
from desk.intake.events import Referred
from desk.intake.service import StorageUnavailableError
from desk.intake.store import Attachment, answer_file, attachment, handover, identity_check, request
from desk.iran.provinces import UnknownProvinceError, province

LINK_SECONDS = 60
ANSWER_FILES_MAX = 30
"""Files of one province for one case; an answer names ten at most."""


@dataclass(frozen=True, slots=True)
class CaseFiles:
    """Files of both sides, as the province that has the case and its applicant may reach them."""

    database: Database
    vault: Vault
    storage: ObjectStore

    async def hear_of_referral(self, session: AsyncSession, received: Received[Referred]) -> None:
        """Note which province has the case now; a referral that was overtaken by a later one changes nothing.

        Raises ContractError.
        """
        store = CaseFileStore(session, self.vault)
        try:
            key = province(received.data.province.key).key
        except UnknownProvinceError:
            raise ContractError("referred to no province") from None
        if not await store.hand_over(received.data.tracking_code, key, received.seq):
            raise ContractError("a request intake has not taken")

    async def link_for_province(self, province_key: str, file_id: str) -> str:
        """Give a link to a file of one of the province's cases. Raises FileNotFoundHereError."""
        async with self.database.transaction() as session:
            name = await CaseFileStore(session, self.vault).name_for_province(file_id, province_key)
        return await self._link(file_id, name)

    async def link_for_applicant(self, tracking_code: str, file_id: str) -> str:
        """Give a link to a file of the request with this code. Raises FileNotFoundHereError."""
        async with self.database.transaction() as session:
            name = await CaseFileStore(session, self.vault).name_for_applicant(file_id, tracking_code)
        return await self._link(file_id, name)

    async def _link(self, file_id: str, name: str | None) -> str:
        if name is None:
            raise FileNotFoundHereError
        return await self.storage.link(file_id, name, LINK_SECONDS)

    async def demand_case(self, province_key: str, tracking_code: str) -> None:
        """Return if the case is the province's. Raises CaseNotFoundError or TooManyAnswerFilesError."""
        async with self.database.transaction() as session:
            await self._case(session, province_key, tracking_code)

    async def put_up(self, province_key: str, tracking_code: str, content: BinaryIO, name: str) -> Attachment:
        """Check a file and keep it for the province's answer.

        Raises CaseNotFoundError, TooManyAnswerFilesError, StorageUnavailableError and the errors of
        :mod:`desk.intake.files`.
        """
        checked = await asyncio.to_thread(files.check, content, name)
        await self.demand_case(province_key, tracking_code)
        file_id = str(uuid.uuid4())
        try:
            await self.storage.put(file_id, content, checked.size, checked.media_type)
            async with self.database.transaction() as session:
                request_id = await self._case(session, province_key, tracking_code)
                await CaseFileStore(session, self.vault).add(file_id, checked, request_id, province_key)
                await self.storage.keep(
                    file_id
                )  # what is not kept is forgotten after a day, and its row is not written
        except (ObjectStoreUnavailableError, ObjectMissingError) as error:
            raise StorageUnavailableError(str(error)) from error
        return Attachment(file_id, checked.name, checked.size, checked.media_type, checked.sha256)

    async def _case(self, session: AsyncSession, province_key: str, tracking_code: str) -> str:
        store = CaseFileStore(session, self.vault)
        request_id = await store.case_of(province_key, tracking_code)
        if request_id is None:
            raise CaseNotFoundError
        if await store.count(request_id, province_key) >= ANSWER_FILES_MAX:
            raise TooManyAnswerFilesError
        return request_id


_RELEASED = or_(
    identity_check.c.state.is_(None),
    identity_check.c.state.in_([IdentityState.CONFIRMED, IdentityState.UNCONFIRMED]),
)
"""No province has a request before its applicant was looked up."""
_CASES = select(request.c.id).outerjoin(identity_check).outerjoin(handover).where(_RELEASED)


def _is_with(province_key: str) -> ColumnElement[bool]:
    return func.coalesce(handover.c.province, request.c.province) == province_key


class CaseFileStore:
    """Reads and writes where cases are and the files of answers."""

    def __init__(self, session: AsyncSession, vault: Vault) -> None:
        self._session = session
        self._vault = vault

    async def hand_over(self, tracking_code: str, province_key: str, seq: int) -> bool:
        """Note a referral, unless a later one is known; False if there is no such request."""
        request_id = (
            await self._session.execute(select(request.c.id).where(request.c.tracking_code == tracking_code))
        ).scalar_one_or_none()
        if request_id is None:
            return False
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
        return True

    async def case_of(self, province_key: str, tracking_code: str) -> str | None:
        """Give the id of the province's case with this code."""
        query = _CASES.where(request.c.tracking_code == tracking_code, _is_with(province_key))
        return (await self._session.execute(query)).scalar_one_or_none()

    async def count(self, request_id: str, province_key: str) -> int:
        """Count the files a province has put up for a case."""
        query = select(func.count()).where(
            answer_file.c.request_id == request_id, answer_file.c.province == province_key
        )
        return int((await self._session.execute(query)).scalar_one())

    async def add(self, file_id: str, file: files.CheckedFile, request_id: str, province_key: str) -> None:
        """Write what is known of a file a province put up."""
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
        """Name a file of one of the province's cases; None if there is none."""
        return await self._name(file_id, (_is_with(province_key),))

    async def name_for_applicant(self, file_id: str, tracking_code: str) -> str | None:
        """Name a file of the request with this code; None if there is none."""
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
