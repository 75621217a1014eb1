"""A client of the malware scanner ClamAV: its daemon's command INSTREAM (clamd(8))."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol
from urllib.parse import urlsplit

ANSWER_SECONDS = 10.0
_CLEAN = b"stream: OK"
_PREFIX, _FOUND = b"stream: ", b" FOUND"
_ANSWER_BYTES_MAX = 4096


class ScannerUnavailableError(Exception):
    """The scanner is unreachable, too slow, or has not examined the whole file."""


class Scanner(Protocol):
    """Looks for malware."""

    async def find_malware(self, chunks: AsyncIterable[bytes]) -> str | None:
        """Return the name of what was found in a file, or None if it is clean. Raises ScannerUnavailableError."""


class NoScanner:
    """The embedded desk has no scanner: the structural checks are all."""

    async def find_malware(self, chunks: AsyncIterable[bytes]) -> str | None:  # noqa: ARG002 - the protocol
        """Return None."""
        return None


class ClamScanner:
    """A scanner behind an address; each file has a connection of its own."""

    def __init__(self, url: str, seconds: float = ANSWER_SECONDS) -> None:
        """``url`` is ``tcp://host:port`` or ``unix:///path``; a scan may take so many seconds."""
        self._url = urlsplit(url)
        self._seconds = seconds

    async def find_malware(self, chunks: AsyncIterable[bytes]) -> str | None:
        """Send a file in pieces. Any answer but a clear one counts as no answer."""
        try:
            async with asyncio.timeout(self._seconds), self._connection() as (reader, writer):
                writer.write(b"zINSTREAM\0")
                async for chunk in chunks:
                    if chunk:  # an empty piece would end the file
                        writer.write(len(chunk).to_bytes(4, "big") + chunk)
                        await writer.drain()
                writer.write(bytes(4))
                await writer.drain()
                answer = (await reader.read(_ANSWER_BYTES_MAX)).rstrip(b"\0\n")
        except (OSError, TimeoutError) as error:
            raise ScannerUnavailableError(type(error).__name__) from error
        return _verdict(answer)

    async def ping(self) -> None:
        """Return if the scanner answers. Raises ScannerUnavailableError."""
        try:
            async with asyncio.timeout(self._seconds), self._connection() as (reader, writer):
                writer.write(b"zPING\0")
                await writer.drain()
                answer = (await reader.read(_ANSWER_BYTES_MAX)).rstrip(b"\0\n")
        except (OSError, TimeoutError) as error:
            raise ScannerUnavailableError(type(error).__name__) from error
        if answer != b"PONG":
            raise ScannerUnavailableError(f"the scanner answered {answer[:100]!r}")

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        if self._url.scheme == "unix":
            reader, writer = await asyncio.open_unix_connection(self._url.path)
        else:
            reader, writer = await asyncio.open_connection(self._url.hostname, self._url.port)
        try:
            yield reader, writer
        finally:
            writer.close()


def _verdict(answer: bytes) -> str | None:
    if answer == _CLEAN:
        return None
    if answer.startswith(_PREFIX) and answer.endswith(_FOUND):
        return answer.removeprefix(_PREFIX).removesuffix(_FOUND).decode("ascii", "replace")
    raise ScannerUnavailableError(f"the scanner answered {answer[:100]!r}")
