"""The way to the desk, for each province: events in, reports out, files and subjects."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from desk.console.seal import Seal
from desk.console.store.cases import CaseStore
from desk.database import Database
from desk.expert import BrokerAwayError, Catalog, FileReference, Files, Inbox, Report, Reports, Subject, Told
from desk.iran.workdays import WorkCalendar

log = logging.getLogger(__name__)

PAUSE_SECONDS = 2.0

Take = Callable[[Told], Awaitable[None]]
"""Handles what the desk told; returns when the effect is committed."""


class Line(Protocol):
    """What the library for provinces offers, or what stands for it in the embedded desk."""

    @property
    def alive(self) -> bool:
        """Whether the province's queue is being served at this moment."""

    async def listen(self, take: Take) -> None:
        """Hand over what the desk tells, until cancelled; what could not be handled comes again."""

    async def send(self, report: Report) -> None:
        """Return once the desk has the report for certain. Raises BrokerAwayError."""

    async def put_up(self, tracking_code: str, name: str, content: bytes) -> FileReference:
        """Put up a file for an answer. Raises FileRefusedError."""

    def open(self, file: FileReference) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Open a file of a case. Raises FileRefusedError and, at its end, FileDamagedError."""

    async def subjects(self) -> list[Subject]:
        """List the desk's subjects. Raises CatalogAwayError."""

    async def close(self) -> None:
        """Close the connections."""


Lines = Mapping[str, Line]
"""One line for each province that this console serves, by the province's key."""


class _HeardEvents:
    """The library's memory, kept with the cases: an event is remembered in the transaction of its effect."""

    def __init__(self, database: Database, seal: Seal) -> None:
        self._database, self._seal = database, seal

    async def handled(self, event_id: str) -> bool:
        async with self._database.read() as session:
            return await CaseStore(session, self._seal, WorkCalendar()).was_heard(event_id)

    async def remember(self, event_id: str) -> None:
        """Do nothing: that was done with the effect."""

    async def number(self, tracking_code: str, report_id: str) -> int:
        raise NotImplementedError("the console numbers its reports itself")


class DeskLine:
    """The real line: RabbitMQ and the desk's public door, by the library for provinces."""

    def __init__(
        self, province: str, *, broker_url: str, desk_url: str, private_key: str, database: Database, seal: Seal
    ) -> None:
        self._inbox: Inbox | None = None
        self._province, self._broker_url = province, broker_url
        self._memory = _HeardEvents(database, seal)
        self._reports = Reports(broker_url, province)
        self._files = Files(desk_url, province, private_key)
        self._catalog = Catalog(desk_url)

    async def listen(self, take: Take) -> None:
        """Hand over what the desk tells, until cancelled."""
        while True:
            try:
                async with Inbox(self._broker_url, self._province, self._memory) as inbox:
                    self._inbox = inbox
                    async for case in inbox:
                        await take(case.told)
            except BrokerAwayError as error:
                log.warning("%s: the broker is away: %s", self._province, error)
            except Exception:  # the top of the loop: the event goes back to the queue and comes again
                log.exception("%s: an event was not handled", self._province)
            await asyncio.sleep(PAUSE_SECONDS)

    @property
    def alive(self) -> bool:
        """Whether the province's queue is being served at this moment."""
        return self._inbox is not None and self._inbox.served

    async def send(self, report: Report) -> None:
        """Return once the broker has confirmed. Raises BrokerAwayError."""
        await self._reports.send(report)

    async def put_up(self, tracking_code: str, name: str, content: bytes) -> FileReference:
        """Put up a file for an answer. Raises FileRefusedError."""
        return await self._files.put_up_content(tracking_code, name, content)

    def open(self, file: FileReference) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Open a file of a case. Raises FileRefusedError."""
        return self._files.open(file)

    async def subjects(self) -> list[Subject]:
        """List the desk's subjects. Raises CatalogAwayError."""
        return await self._catalog.subjects()

    async def close(self) -> None:
        """Close the connections."""
        await self._reports.close()
        await self._files.close()
        await self._catalog.close()
