"""Uploads: an applicant's files before they belong to a request or a reply."""

import asyncio
import math
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO

import structlog

from desk.chassis.crypto import Vault
from desk.chassis.rate_limits import Attempt, RateLimits, source_network
from desk.chassis.storage import ObjectMissingError, ObjectStore, ObjectStoreUnavailableError
from desk.database import Database, DatabaseSession
from desk.intake.domain import (
    FILES_MAX,
    Attachment,
    AttachmentNotFoundError,
    RequestNotFoundError,
    StorageUnavailableError,
    TooManyFilesError,
    UnknownAttachmentError,
    Uploader,
)
from desk.intake.service.encrypted_objects import put_encrypted
from desk.intake.service.file_checks import check_file
from desk.intake.service.file_scans import FileScans
from desk.intake.store import AttachmentStore, RequestStore

log = structlog.get_logger(__name__)
_MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Uploads:
    """Uploads and removes files that no request has claimed."""

    database: Database
    vault: Vault
    storage: ObjectStore
    scans: FileScans
    rate_limits: RateLimits
    per_identity: str
    """The rate limit of one national ID, such as ``40/hour``."""
    megabytes_per_identity: str
    """The limit of one national ID in MiB, such as ``200/day``."""
    megabytes_per_source: str
    """The limit of one source in MiB."""

    async def reserve(self, uploader: Uploader, source: str, size: int) -> None:
        """Count an upload of so many bytes before it is read. Raises RateLimitExceededError.

        ``source`` is the caller's address.
        """
        identity = self.vault.index(uploader.national_id, "uploads")
        network = self.vault.index(source_network(source), "uploads")
        megabytes = max(1, math.ceil(size / _MEGABYTE))
        await self.rate_limits.reserve_all(
            Attempt(self.per_identity, "uploads", identity),
            Attempt(self.megabytes_per_identity, "upload_megabytes", identity, megabytes),
            Attempt(self.megabytes_per_source, "upload_megabytes_of_source", network, megabytes),
        )

    async def add(self, uploader: Uploader, content: BinaryIO, name: str) -> Attachment:
        """Check a file and store it until a request claims it.

        Raises TooManyFilesError, RequestNotFoundError, FileInfectedError, StorageUnavailableError and the errors of
        :func:`check_file`.
        """
        checked = await asyncio.to_thread(check_file, content, name)
        async with self.database.transaction() as session:
            await self._require_room(session, uploader)
        due_at = await self.scans.examine(content)
        stored = await put_encrypted(self.storage, content, checked, due_at)
        try:
            async with self.database.transaction() as session:
                store = AttachmentStore(session, self.vault)
                await store.lock_uploads(uploader)
                await self._require_request(session, uploader)
                await self._require_room(session, uploader)  # again, since other files may have been uploaded meanwhile
                await store.add(checked, uploader, stored)
        except Exception:
            await self._delete_object(stored.object_key)
            raise
        return Attachment.of(stored.key.id, checked, stored.object_key)

    async def _require_room(self, session: DatabaseSession, uploader: Uploader) -> None:
        if await AttachmentStore(session, self.vault).count_unclaimed(uploader) >= FILES_MAX:
            raise TooManyFilesError

    async def _require_request(self, session: DatabaseSession, uploader: Uploader) -> None:
        """Make an erasure of the reply's request wait. Raises RequestNotFoundError if it was erased before."""
        request_id = uploader.reply_request_id
        if request_id is not None and not await RequestStore(session, self.vault).prevent_erasure(request_id):
            raise RequestNotFoundError

    async def _delete_object(self, object_key: str) -> None:
        """Delete an object that has no row; a failure is logged, since an earlier one is being raised."""
        try:
            await self.storage.delete(object_key)
        except ObjectStoreUnavailableError:
            log.warning("object without a row", object=object_key)

    async def remove(self, uploader: Uploader, file_id: uuid.UUID) -> None:
        """Delete a file that no request has claimed. Raises AttachmentNotFoundError or StorageUnavailableError."""
        async with self.database.transaction() as session:
            store = AttachmentStore(session, self.vault)
            object_key = await store.delete_unclaimed(str(file_id), uploader.national_id)
            if object_key is None:
                raise AttachmentNotFoundError
            try:
                await self.storage.delete(object_key)
            except ObjectStoreUnavailableError as error:  # the row is kept, so that the object can be deleted later
                raise StorageUnavailableError(str(error)) from error


async def keep_objects(storage: ObjectStore, files: Sequence[Attachment]) -> None:
    """Make the object store keep these files. Raises UnknownAttachmentError or StorageUnavailableError."""
    try:
        await asyncio.gather(*(storage.keep(file.object_key) for file in files))
    except ObjectMissingError:
        raise UnknownAttachmentError("the object does not exist") from None
    except ObjectStoreUnavailableError as error:
        raise StorageUnavailableError(str(error)) from error
