"""The object store: objects under keys, in a folder when embedded, in an S3 bucket otherwise."""

import asyncio
import os
import re
import secrets
import tempfile
import time
from collections.abc import AsyncIterator
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

    def read(self, key: str) -> AsyncIterator[bytes]:
        """Yield the object in chunks. Raises ObjectMissingError or ObjectStoreUnavailableError."""

    async def delete(self, key: str) -> None:
        """Remove the object if it is there. Raises ObjectStoreUnavailableError."""

    async def link(self, key: str, name: str, seconds: int) -> str:
        """Return a URL from which the object can be downloaded as ``name``, without credentials, for ``seconds``."""


_NOT_THERE = (FileNotFoundError, IsADirectoryError, NotADirectoryError)
"""A key may be a prefix of others. Then it is a folder here, and a missing object in a bucket."""


class FolderStore:
    """Objects as files under a folder. A file appears complete, by renaming."""

    def __init__(self, folder: Path, links_at: str = "/links") -> None:
        """``links_at`` is the path under which the embedded desk serves what :meth:`linked` returns."""
        self._folder = folder
        self._links_at = links_at
        self._links: dict[str, tuple[str, str, float]] = {}
        folder.mkdir(parents=True, exist_ok=True)

    async def put(self, key: str, content: BinaryIO, size: int, media_type: str) -> None:  # noqa: ARG002 - a folder stores no media type
        """Store the content. Raises ObjectStoreUnavailableError if the disk refuses or the content is short."""
        await asyncio.to_thread(self._write, self._path(key), content, size)

    async def keep(self, key: str) -> None:
        """Check that the file exists; a folder deletes nothing by itself. Raises ObjectMissingError."""
        if not await asyncio.to_thread(self._path(key).is_file):
            raise ObjectMissingError(key)

    async def read(self, key: str) -> AsyncIterator[bytes]:
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

    async def link(self, key: str, name: str, seconds: int) -> str:
        """Return a URL that is valid for ``seconds``, in this process only."""
        now = time.monotonic()
        self._links = {token: link for token, link in self._links.items() if link[2] > now}
        token = secrets.token_urlsafe(24)
        self._links[token] = (checked_key(key), name, now + seconds)
        return f"{self._links_at}/{token}"

    def linked(self, token: str) -> tuple[str, str]:
        """Return the key and the name behind the last part of a link. Raises ObjectMissingError if it has expired."""
        key, name, until = self._links.get(token, ("", "", 0.0))
        if until <= time.monotonic():
            raise ObjectMissingError("the link is unknown or has expired")
        return key, name

    def _path(self, key: str) -> Path:
        return self._folder / checked_key(key)

    def _write(self, target: Path, content: BinaryIO, size: int) -> None:
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=target.parent)
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
