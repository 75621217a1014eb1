"""Sends reports as soon as one is added, and otherwise every second."""

import asyncio
import logging
from contextlib import suppress

from desk.console.service.reports import ReportSender

log = logging.getLogger(__name__)

PAUSE_SECONDS = 1.0


class ReportTask:
    """Sends due reports until cancelled."""

    def __init__(self, sender: ReportSender) -> None:
        self._sender = sender
        self._wake_up = asyncio.Event()

    def wake(self) -> None:
        """End the current pause. A hint: without it the next round comes after the pause."""
        self._wake_up.set()

    async def run(self) -> None:
        """Send until cancelled."""
        while True:
            self._wake_up.clear()
            try:
                while await self._sender.send_due():
                    pass
            except Exception:  # the top of the loop: the rows are kept, and the next round retries
                log.exception("reports could not be sent")
            with suppress(TimeoutError):
                async with asyncio.timeout(PAUSE_SECONDS):
                    await self._wake_up.wait()
