"""Files of cases: downloads, and uploads for answers; each call is signed."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from desk.expert.calls import SignedCalls
from desk.expert.errors import FileDamagedError, FileRefusedError
from desk.expert.requests import FileReference

AUDIENCE = "desk.files"
PAUSES_SECONDS = (1.0, 2.0, 4.0)
"""Pauses between attempts: a file of a case that was just referred may not be the office's yet."""


class Files:
    """A client of the desk's file routes."""

    def __init__(
        self, url: str, province: str, private_key: str, *, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        """``url`` is the desk's address; ``private_key`` the PEM of the province's own Ed25519 key."""
        self._calls = SignedCalls(url, province, private_key, AUDIENCE, FileRefusedError, transport=transport)

    async def close(self) -> None:
        """Close the connections."""
        await self._calls.close()

    async def upload(self, tracking_code: str, path: Path) -> FileReference:
        """Upload a file for a case. Raises FileRefusedError."""
        return await self.upload_content(tracking_code, path.name, await asyncio.to_thread(path.read_bytes))

    async def upload_content(self, tracking_code: str, name: str, content: bytes) -> FileReference:
        """Upload content under a file name. Raises FileRefusedError."""
        answer = await self._calls.send(
            "POST",
            "/api/office/files",
            data={"tracking_code": tracking_code},
            files={"file": (name, content)},
        )
        return FileReference.model_validate_json(self._calls.require_success(answer).content)

    @asynccontextmanager
    async def open(self, file: FileReference) -> AsyncIterator[AsyncIterator[bytes]]:
        """Open a file for reading in chunks. Raises FileRefusedError, and FileDamagedError after the last chunk.

        FileRefusedError is also raised while reading, if the connection is closed before the end.
        """
        answer = await self._open(file.id)
        try:
            yield _checked_chunks(self._chunks(answer), file)
        finally:
            await answer.aclose()

    async def _open(self, file_id: str) -> httpx.Response:
        for pause in (*PAUSES_SECONDS, None):
            answer = await self._calls.send("GET", f"/api/office/files/{file_id}", stream=True)
            if answer.is_success:
                return answer
            await answer.aread()
            if pause is None or answer.status_code != httpx.codes.NOT_FOUND:
                break
            await asyncio.sleep(pause)
        return self._calls.require_success(answer)

    async def _chunks(self, answer: httpx.Response) -> AsyncIterator[bytes]:
        try:
            async for chunk in answer.aiter_bytes():
                yield chunk
        except httpx.TransportError as error:
            raise self._calls.unavailable(error) from error


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file of a request."""

    file: FileReference
    files: Files

    @asynccontextmanager
    async def open(self) -> AsyncIterator[AsyncIterator[bytes]]:
        """Open the file for reading in chunks. Raises FileRefusedError, and FileDamagedError at the end."""
        async with self.files.open(self.file) as chunks:
            yield chunks

    async def save(self, path: Path) -> None:
        """Save the complete file, or nothing. Raises FileRefusedError or FileDamagedError."""
        part = path.with_name(f"{path.name}.part")
        try:
            with part.open("wb") as target:
                async with self.open() as chunks:
                    async for chunk in chunks:
                        await asyncio.to_thread(target.write, chunk)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)


async def _checked_chunks(chunks: AsyncIterator[bytes], file: FileReference) -> AsyncIterator[bytes]:
    digest, size = hashlib.sha256(), 0
    async for chunk in chunks:
        digest.update(chunk)
        size += len(chunk)
        yield chunk
    if (size, digest.hexdigest()) != (file.size, file.sha256):
        raise FileDamagedError(f"file {file.id} is not the one that the event named")
