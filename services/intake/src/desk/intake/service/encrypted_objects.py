"""Files in the object store: encrypted while they are stored, and decrypted while they are sent."""

import asyncio
import uuid
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import BinaryIO

import structlog

from desk.chassis.crypto import DecryptionError
from desk.chassis.encrypted_files import decrypt_file, encrypt_file, encrypted_size
from desk.chassis.storage import ObjectMissingError, ObjectStore, ObjectStoreUnavailableError
from desk.intake.domain import Attachment, CheckedFile, FileUnreadableError, StorageUnavailableError
from desk.intake.store import StoredFile, StoredObject
from desk.security.data_keys import DataKey

log = structlog.get_logger(__name__)
_MEDIA_TYPE = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Download:
    """A file that is being read. Its first frame was decrypted already.

    ``chunks`` raises FileUnreadableError or StorageUnavailableError if the rest cannot be read.
    """

    file: Attachment
    chunks: AsyncGenerator[bytes, None]


async def put_encrypted(storage: ObjectStore, content: BinaryIO, checked: CheckedFile) -> StoredObject:
    """Store a file under a random name, with a new key under a new file id. Raises StorageUnavailableError."""
    stored = StoredObject(str(uuid.uuid4()), DataKey.generate(str(uuid.uuid4())))
    encrypted = await asyncio.to_thread(encrypt_file, content, stored.key)
    try:
        await storage.put(stored.object_key, encrypted, encrypted_size(checked.size), _MEDIA_TYPE)
    except ObjectStoreUnavailableError as error:
        raise StorageUnavailableError(str(error)) from error
    return stored


async def open_decrypted(storage: ObjectStore, stored: StoredFile) -> Download:
    """Begin to read a file. Raises FileUnreadableError or StorageUnavailableError."""
    chunks = _chunks(storage, stored)
    first = await anext(chunks, b"")
    return Download(stored.file, _put_back(first, chunks))


async def _chunks(storage: ObjectStore, stored: StoredFile) -> AsyncGenerator[bytes, None]:
    content = storage.read(stored.file.object_key)
    try:
        async with aclosing(decrypt_file(content, stored.key) if stored.key else content) as chunks:
            async for chunk in chunks:
                yield chunk
    except (ObjectMissingError, DecryptionError) as error:
        log.error("file unreadable", object=stored.file.object_key, reason=type(error).__name__)  # noqa: TRY400 - it is raised again
        raise FileUnreadableError(type(error).__name__) from error
    except ObjectStoreUnavailableError as error:
        raise StorageUnavailableError(str(error)) from error


async def _put_back(first: bytes, chunks: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    async with aclosing(chunks):
        yield first
        async for chunk in chunks:
            yield chunk
