"""The files of cases: downloads, and uploads of a province for its answer."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import BinaryIO

import structlog

from desk.chassis.audit import AuditLog
from desk.chassis.bus import ContractError
from desk.chassis.crypto import Vault
from desk.chassis.events import Received
from desk.chassis.storage import ObjectMissingError, ObjectStore, ObjectStoreUnavailableError
from desk.database import Database, DatabaseSession
from desk.intake.domain import (
    Attachment,
    CaseNotFoundError,
    FileNotFoundHereError,
    FilePendingError,
    FileRemovedError,
    StorageUnavailableError,
    TooManyAnswerFilesError,
    UnknownAttachmentError,
)
from desk.intake.events import Referred
from desk.intake.service.encrypted_objects import Download, open_decrypted, put_encrypted
from desk.intake.service.file_checks import check_file
from desk.intake.service.file_scans import FileScans
from desk.intake.store import CaseFileStore, RequestStore, StoredFile
from desk.iran.offices import UnknownOfficeError, office
from desk.security.data_keys import KeyDestroyedError

log = structlog.get_logger(__name__)

ANSWER_FILES_MAX = 30
"""Files of one province for one case; an answer refers to ten at most."""


@dataclass(frozen=True, slots=True)
class _Reader:
    """Who reads a file, and the caller's address."""

    actor: str
    source: str


@dataclass(frozen=True, slots=True)
class CaseFiles:
    """Gives the province of a case and its applicant access to the files of both sides."""

    database: Database
    vault: Vault
    storage: ObjectStore
    scans: FileScans
    audit: AuditLog

    async def on_request_referred(self, session: DatabaseSession, received: Received[Referred]) -> None:
        """Record the new office of a case; a referral older than the recorded one changes nothing.

        Raises ContractError.
        """
        try:
            key = office((received.data.office or received.data.province).key).key
        except UnknownOfficeError:
            raise ContractError("referred to an unknown office") from None
        request_id = await RequestStore(session, self.vault).id_of(received.data.tracking_code)
        if request_id is None:
            if await RequestStore(session, self.vault).is_erased(received.data.tracking_code):
                log.warning("a late event about an erased request", event_id=received.id)
                return
            raise ContractError("intake has no such request")
        await CaseFileStore(session, self.vault).hand_over(request_id, key, received.seq)

    async def open_for_province(self, province_key: str, file_id: str, source: str) -> Download:
        """Open a file of one of the province's cases for a caller at the address ``source``.

        Raises FileNotFoundHereError, FilePendingError, FileRemovedError and as :func:`open_decrypted`.
        """
        reader = _Reader(f"office {province_key}", source)
        return await self._open(lambda store: store.for_province(file_id, province_key), reader)

    async def find_answer_files(self, tracking_code: str, province_key: str, ids: Sequence[str]) -> list[Attachment]:
        """Return the files that a province has uploaded for its answer, in the order of ``ids``.

        Raises UnknownAttachmentError if one was not, or was removed because of malware.
        """
        async with self.database.transaction() as session:
            try:
                found = await CaseFileStore(session, self.vault).answer_files(tracking_code, province_key, ids)
            except KeyDestroyedError:
                raise UnknownAttachmentError from None
        clean = {stored.file.id: stored.file for stored in found if stored.malware is None}
        if not clean.keys() >= set(ids):
            raise UnknownAttachmentError
        return [clean[each] for each in ids]

    async def open_for_applicant(self, tracking_code: str, file_id: str, source: str) -> Download:
        """Open a file of the request with this code. Raises as :meth:`open_for_province`."""
        reader = _Reader("applicant", source)
        return await self._open(lambda store: store.for_applicant(file_id, tracking_code), reader)

    async def open_any(self, file_id: str) -> Download:
        """Open a file of any request, for the demonstration. Raises as :meth:`open_for_province`."""
        return await self._open(lambda store: store.of_any_case(file_id))

    async def _open(
        self, find: Callable[[CaseFileStore], Awaitable[StoredFile | None]], reader: _Reader | None = None
    ) -> Download:
        try:
            async with self.database.transaction() as session:
                stored = await find(CaseFileStore(session, self.vault))
                if stored is not None and reader is not None:
                    await self._record(session, stored, reader)
        except KeyDestroyedError:
            raise FileNotFoundHereError from None
        if stored is None:
            raise FileNotFoundHereError
        if stored.malware is not None:
            raise FileRemovedError
        if stored.pending:
            raise FilePendingError
        return await open_decrypted(self.storage, stored)

    async def _record(self, session: DatabaseSession, stored: StoredFile, reader: _Reader) -> None:
        file_id = stored.file.id
        code = await CaseFileStore(session, self.vault).tracking_code_of(file_id)
        await self.audit.add(
            session, reader.actor, "file_read", subject=code, source=reader.source, about=f"file {file_id}"
        )

    async def upload(self, province_key: str, tracking_code: str, content: BinaryIO, name: str) -> Attachment:
        """Check a file and store it for the province's answer.

        Raises CaseNotFoundError, TooManyAnswerFilesError, FileInfectedError, StorageUnavailableError and the errors
        of :func:`check_file`.
        """
        checked = await asyncio.to_thread(check_file, content, name)
        async with self.database.transaction() as session:
            await self._require_case(session, province_key, tracking_code)
        due_at = await self.scans.examine(content)
        stored = await put_encrypted(self.storage, content, checked, due_at)
        try:
            async with self.database.transaction() as session:
                request_id = await self._require_case(session, province_key, tracking_code)
                await CaseFileStore(session, self.vault).add(checked, request_id, province_key, stored)
                # If this fails, no row is written and the store deletes the object.
                await self.storage.keep(stored.object_key)
        except (ObjectStoreUnavailableError, ObjectMissingError) as error:
            raise StorageUnavailableError(str(error)) from error
        return Attachment.of(stored.key.id, checked, stored.object_key)

    async def _require_case(self, session: DatabaseSession, province_key: str, tracking_code: str) -> str:
        """Return the request id of the province's case. Raises CaseNotFoundError or TooManyAnswerFilesError."""
        store = CaseFileStore(session, self.vault)
        request_id = await store.case_of(province_key, tracking_code)
        if request_id is None:
            raise CaseNotFoundError
        if await store.count(request_id, province_key) >= ANSWER_FILES_MAX:
            raise TooManyAnswerFilesError
        return request_id
