"""The files of cases: downloads by short-lived links, and uploads of a province for its answer."""

import asyncio
import uuid
from dataclasses import dataclass
from typing import BinaryIO

from sqlalchemy.ext.asyncio import AsyncSession

from desk.chassis.bus import ContractError
from desk.chassis.crypto import Vault
from desk.chassis.events import Received
from desk.chassis.storage import ObjectMissingError, ObjectStore, ObjectStoreUnavailableError
from desk.database import Database
from desk.intake.domain import (
    Attachment,
    CaseNotFoundError,
    FileNotFoundHereError,
    StorageUnavailableError,
    TooManyAnswerFilesError,
)
from desk.intake.events import Referred
from desk.intake.service.file_checks import check_file
from desk.intake.store import CaseFileStore, RequestStore
from desk.iran.provinces import UnknownProvinceError, province

LINK_SECONDS = 60
ANSWER_FILES_MAX = 30
"""Files of one province for one case; an answer refers to ten at most."""


@dataclass(frozen=True, slots=True)
class CaseFiles:
    """Gives the province of a case and its applicant access to the files of both sides."""

    database: Database
    vault: Vault
    storage: ObjectStore

    async def on_request_referred(self, session: AsyncSession, received: Received[Referred]) -> None:
        """Record the new province of a case; a referral older than the recorded one changes nothing.

        Raises ContractError.
        """
        try:
            key = province(received.data.province.key).key
        except UnknownProvinceError:
            raise ContractError("referred to an unknown province") from None
        request_id = await RequestStore(session, self.vault).id_of(received.data.tracking_code)
        if request_id is None:
            raise ContractError("intake has no such request")
        await CaseFileStore(session, self.vault).hand_over(request_id, key, received.seq)

    async def link_for_province(self, province_key: str, file_id: str) -> str:
        """Return a link to a file of one of the province's cases. Raises FileNotFoundHereError."""
        async with self.database.transaction() as session:
            name = await CaseFileStore(session, self.vault).name_for_province(file_id, province_key)
        return await self._link(file_id, name)

    async def link_for_applicant(self, tracking_code: str, file_id: str) -> str:
        """Return a link to a file of the request with this code. Raises FileNotFoundHereError."""
        async with self.database.transaction() as session:
            name = await CaseFileStore(session, self.vault).name_for_applicant(file_id, tracking_code)
        return await self._link(file_id, name)

    async def _link(self, file_id: str, name: str | None) -> str:
        if name is None:
            raise FileNotFoundHereError
        return await self.storage.link(file_id, name, LINK_SECONDS)

    async def upload(self, province_key: str, tracking_code: str, content: BinaryIO, name: str) -> Attachment:
        """Check a file and store it for the province's answer.

        Raises CaseNotFoundError, TooManyAnswerFilesError, StorageUnavailableError and the errors of
        :func:`check_file`.
        """
        checked = await asyncio.to_thread(check_file, content, name)
        async with self.database.transaction() as session:
            await self._require_case(session, province_key, tracking_code)
        file_id = str(uuid.uuid4())
        try:
            await self.storage.put(file_id, content, checked.size, checked.media_type)
            async with self.database.transaction() as session:
                request_id = await self._require_case(session, province_key, tracking_code)
                await CaseFileStore(session, self.vault).add(file_id, checked, request_id, province_key)
                await self.storage.keep(file_id)  # if this fails, no row is written and the store deletes the object
        except (ObjectStoreUnavailableError, ObjectMissingError) as error:
            raise StorageUnavailableError(str(error)) from error
        return Attachment.of(file_id, checked)

    async def _require_case(self, session: AsyncSession, province_key: str, tracking_code: str) -> str:
        """Return the request id of the province's case. Raises CaseNotFoundError or TooManyAnswerFilesError."""
        store = CaseFileStore(session, self.vault)
        request_id = await store.case_of(province_key, tracking_code)
        if request_id is None:
            raise CaseNotFoundError
        if await store.count(request_id, province_key) >= ANSWER_FILES_MAX:
            raise TooManyAnswerFilesError
        return request_id
