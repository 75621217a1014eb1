"""The object store: objects under keys, in a folder when embedded, in an S3 bucket otherwise."""

import asyncio
import os
import re
import tempfile
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import BinaryIO, Protocol

CHUNK_BYTES = 64 * 1024
_KEY = re.compile("[A-Za-z0-9-]+(/[A-Za-z0-9-]+)*")


class ObjectMissingError(Exception):
    """There is no object under this key."""


class ObjectStoreUnavailableError(Exception):
    """The store is unreachable, refuses or is full; nothing was written."""


def checked_key(key: str) -> str:
    """Return the key if it is valid. Raises ValueError."""
    if not _KEY.fullmatch(key):
        raise ValueError("not an object key")
    return key


class ObjectStore(Protocol):
    """Stores objects. A key has ASCII letters, digits, ``-`` and single ``/`` between them; others raise ValueError."""

    async def put(self, key: str, content: BinaryIO, size: int, media_type: str) -> None:
        """Store ``size`` bytes of ``content``, completely or not at all. Raises ObjectStoreUnavailableError."""

    async def keep(self, key: str) -> None:
        """Keep the object permanently. A store may delete other objects after a day.

        Raises ObjectMissingError or ObjectStoreUnavailableError.
        """

    def read(self, key: str) -> AsyncGenerator[bytes, None]:
        """Yield the object in chunks. Raises ObjectMissingError or ObjectStoreUnavailableError."""

    async def delete(self, key: str) -> None:
        """Remove the object if it is there. Raises ObjectStoreUnavailableError."""

    async def list_keys(self, prefix: str, *, after: str, limit: int) -> list[str]:
        """Return up to ``limit`` keys ``<prefix>/<name>`` in order, those with a name after ``after``.

        Raises ObjectStoreUnavailableError.
        """


_INCOMPLETE = ".part"
"""Ends the name of a file that is being written; a key has no dot."""
_NOT_THERE = (FileNotFoundError, IsADirectoryError, NotADirectoryError)
"""A key may be a prefix of others. Then it is a folder here, and a missing object in a bucket."""


class FolderStore:
    """Objects as files under a folder. A file appears complete, by renaming."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    async def put(self, key: str, content: BinaryIO, size: int, media_type: str) -> None:  # noqa: ARG002 - a folder stores no media type
        """Store the content. Raises ObjectStoreUnavailableError if the disk refuses or the content is short."""
        await asyncio.to_thread(self._write, self._path(key), content, size)

    async def keep(self, key: str) -> None:
        """Check that the file exists; a folder deletes nothing by itself. Raises ObjectMissingError."""
        if not await asyncio.to_thread(self._path(key).is_file):
            raise ObjectMissingError(key)

    async def read(self, key: str) -> AsyncGenerator[bytes, None]:
        """Yield the file in chunks. Raises ObjectMissingError, or ObjectStoreUnavailableError if the disk refuses."""
        try:
            file = await asyncio.to_thread(self._path(key).open, "rb")
            with file:
                while chunk := await asyncio.to_thread(file.read, CHUNK_BYTES):
                    yield chunk
        except _NOT_THERE:
            raise ObjectMissingError(key) from None
        except OSError as error:
            raise ObjectStoreUnavailableError(str(error)) from error

    async def delete(self, key: str) -> None:
        """Remove the file if it is there. Raises ObjectStoreUnavailableError if the disk refuses."""
        try:
            await asyncio.to_thread(self._path(key).unlink)
        except _NOT_THERE:
            return
        except OSError as error:
            raise ObjectStoreUnavailableError(str(error)) from error

    async def list_keys(self, prefix: str, *, after: str, limit: int) -> list[str]:
        """Return keys in order. Raises ObjectStoreUnavailableError if the disk refuses."""
        try:
            return await asyncio.to_thread(self._list, checked_key(prefix), after, limit)
        except OSError as error:
            raise ObjectStoreUnavailableError(str(error)) from error

    def _list(self, prefix: str, after: str, limit: int) -> list[str]:
        files = (path.name for path in self._path(prefix).glob("*") if path.is_file() and path.suffix != _INCOMPLETE)
        return [f"{prefix}/{name}" for name in sorted(files) if name > after][:limit]

    def _path(self, key: str) -> Path:
        return self._folder / checked_key(key)

    def _write(self, target: Path, content: BinaryIO, size: int) -> None:
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=target.parent, suffix=_INCOMPLETE)
        except OSError as error:
            raise ObjectStoreUnavailableError(str(error)) from error
        part = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                written = 0
                while chunk := content.read(CHUNK_BYTES):
                    written += file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
            if written != size:
                raise ObjectStoreUnavailableError(f"read {written} bytes instead of {size}")
            part.replace(target)
        except OSError as error:
            raise ObjectStoreUnavailableError(str(error)) from error
        finally:
            part.unlink(missing_ok=True)
