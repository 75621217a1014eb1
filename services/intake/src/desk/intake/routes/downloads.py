"""The response that sends a file while it is decrypted."""

import asyncio
from contextlib import aclosing
from urllib.parse import quote

import structlog
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from desk.chassis.problem import DomainError
from desk.intake.service.encrypted_objects import Download

log = structlog.get_logger(__name__)

SEND_SECONDS, SEND_BYTES_PER_SECOND = 30.0, 16 * 1024
"""How long a download may take: the first, and a second more for so many bytes; 7 MiB take eight minutes at most."""


class DownloadResponse(Response):
    """Sends a file as an attachment. One that fails or takes too long is aborted, which its client notices.

    A server closes the connection of a response that has fewer bytes than its Content-Length.
    """

    def __init__(self, download: Download) -> None:
        super().__init__(media_type=download.file.media_type)
        self._download = download
        self.headers.update(
            {
                "Content-Length": str(download.file.size),
                "Content-Disposition": f"attachment; filename*=UTF-8''{quote(download.file.name, safe='')}",
                "Cache-Control": "private, no-store",
                "X-Content-Type-Options": "nosniff",
            }
        )

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """Send the file, or a part of it."""
        async with aclosing(self._download.chunks):
            try:
                async with asyncio.timeout(SEND_SECONDS + self._download.file.size / SEND_BYTES_PER_SECOND):
                    await self._send(send)
            except (DomainError, TimeoutError) as error:
                log.warning("download aborted", object=self._download.file.object_key, reason=type(error).__name__)

    async def _send(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        async for chunk in self._download.chunks:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})
