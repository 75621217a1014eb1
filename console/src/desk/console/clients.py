"""The clients of the desk, one for each province: events, reports, files and subjects."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from desk.console.encryption import Encryption
from desk.console.store.cases import CaseStore
from desk.database import Database
from desk.expert import (
    BrokerUnavailableError,
    CaseEvent,
    Cases,
    CaseStatus,
    Catalog,
    CatalogDrafts,
    Counter,
    DeskKeys,
    Figures,
    FigureSet,
    FileReference,
    Files,
    Inbox,
    Report,
    Reports,
    Subject,
    TextDrafts,
)
from desk.iran.workdays import WorkCalendar

log = logging.getLogger(__name__)

PAUSE_SECONDS = 2.0

Handler = Callable[[CaseEvent], Awaitable[None]]
"""Handles an event of the desk; returns when the effect is committed."""


class DeskClient(Protocol):
    """What the library for provinces offers; the embedded desk has its own implementation."""

    @property
    def consuming(self) -> bool:
        """Whether events of the province's queue are consumed at this moment."""

    @property
    def rejected(self) -> int:
        """How many events could not be read, for example because they are for another key."""

    @property
    def counter(self) -> Counter:
        """The desk's routes for requests that experts register."""

    async def consume(self, handle: Handler) -> None:
        """Consume events until cancelled; an event that was not handled is delivered again."""

    async def send(self, report: Report) -> None:
        """Send a report; return once the desk has confirmed it.

        Raises BrokerUnavailableError or DeskKeysUnavailableError.
        """

    async def upload(self, tracking_code: str, name: str, content: bytes) -> FileReference:
        """Upload a file for an answer. Raises FileRefusedError."""

    def open(self, file: FileReference) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Open a file of a case. Raises FileRefusedError and, at its end, FileDamagedError."""

    async def subjects(self) -> list[Subject]:
        """List the desk's subjects. Raises CatalogUnavailableError."""

    async def figures(self, first: str | None, last: str | None) -> FigureSet:
        """Return the figures of the office, of all offices for headquarters. Raises FiguresRefusedError."""

    @property
    def catalog_drafts(self) -> CatalogDrafts:
        """The desk's routes for versions of the catalogue, which only headquarters may use."""

    @property
    def text_drafts(self) -> TextDrafts:
        """The desk's routes for versions of the texts of SMS and email, which only headquarters may use."""

    async def find_case(self, tracking_code: str) -> CaseStatus:
        """Return a case of the office, of any office for headquarters. Raises CaseRefusedError."""

    async def close(self) -> None:
        """Close the connections."""


DeskClients = Mapping[str, DeskClient]
"""The client of each province that this console serves, by the province's key."""


class _ProcessedEvents:
    """The library's memory of events, stored in the transaction of each event's effect."""

    def __init__(self, database: Database, encryption: Encryption) -> None:
        self._database, self._encryption = database, encryption

    async def handled(self, event_id: str) -> bool:
        async with self._database.read() as session:
            return await CaseStore(session, self._encryption, WorkCalendar()).is_processed(event_id)

    async def remember(self, event_id: str) -> None:
        """Do nothing: the event was recorded with its effect."""

    async def number(self, tracking_code: str, report_id: str) -> int:
        raise NotImplementedError("the console numbers its reports itself")

    async def continue_from(self, tracking_code: str, seq: int) -> None:
        """Do nothing: the number is stored with the effect of the refusal."""


class LibraryClient:
    """A client over RabbitMQ and the desk's public gateway, by the library for provinces."""

    def __init__(
        self,
        province: str,
        *,
        broker_url: str,
        desk_url: str,
        private_key: str,
        event_private_keys: Sequence[str],
        database: Database,
        encryption: Encryption,
    ) -> None:
        self._inbox: Inbox | None = None
        self._rejected_before = 0
        self._province, self._broker_url = province, broker_url
        self._memory = _ProcessedEvents(database, encryption)
        self._private_keys, self._desk_url = event_private_keys, desk_url
        self._desk_keys = DeskKeys(desk_url)
        self._reports = Reports(broker_url, province, self._desk_keys)
        self._files = Files(desk_url, province, private_key)
        self._catalog = Catalog(desk_url)
        self._figures = Figures(desk_url, province, private_key)
        self._catalog_drafts = CatalogDrafts(desk_url, private_key)
        self._text_drafts = TextDrafts(desk_url, private_key)
        self._counter = Counter(desk_url, province, private_key)
        self._cases = Cases(desk_url, province, private_key)

    async def consume(self, handle: Handler) -> None:
        """Consume events until cancelled."""
        while True:
            try:
                async with self._new_inbox() as inbox:
                    self._inbox = inbox
                    async for case in inbox:
                        await handle(case.event)
            except BrokerUnavailableError as error:
                log.warning("%s: the broker is unavailable: %s", self._province, error)
            except Exception:  # the top of the loop: the event returns to the queue and is delivered again
                log.exception("%s: an event was not handled", self._province)
            await asyncio.sleep(PAUSE_SECONDS)

    def _new_inbox(self) -> Inbox:
        self._rejected_before = self.rejected
        self._inbox = None
        return Inbox(
            self._broker_url,
            self._province,
            self._memory,
            private_keys=self._private_keys,
            desk_keys=DeskKeys(self._desk_url),
        )

    @property
    def consuming(self) -> bool:
        """Whether events of the province's queue are consumed at this moment."""
        return self._inbox is not None and self._inbox.served

    @property
    def counter(self) -> Counter:
        """The desk's routes for requests that experts register."""
        return self._counter

    @property
    def rejected(self) -> int:
        """How many events could not be read, for example because they are for another key."""
        return self._rejected_before + (self._inbox.rejected if self._inbox is not None else 0)

    async def send(self, report: Report) -> None:
        """Send a report; return once the broker has confirmed it.

        Raises BrokerUnavailableError or DeskKeysUnavailableError.
        """
        await self._reports.send(report)

    async def upload(self, tracking_code: str, name: str, content: bytes) -> FileReference:
        """Upload a file for an answer. Raises FileRefusedError."""
        return await self._files.upload_content(tracking_code, name, content)

    def open(self, file: FileReference) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Open a file of a case. Raises FileRefusedError."""
        return self._files.open(file)

    async def subjects(self) -> list[Subject]:
        """List the desk's subjects. Raises CatalogUnavailableError."""
        return await self._catalog.subjects()

    async def figures(self, first: str | None, last: str | None) -> FigureSet:
        """Return the figures of the office, of all offices for headquarters. Raises FiguresRefusedError."""
        return await self._figures.read(first, last)

    @property
    def catalog_drafts(self) -> CatalogDrafts:
        """The desk's routes for versions of the catalogue."""
        return self._catalog_drafts

    @property
    def text_drafts(self) -> TextDrafts:
        """The desk's routes for versions of the texts of SMS and email."""
        return self._text_drafts

    async def find_case(self, tracking_code: str) -> CaseStatus:
        """Return a case of the office, of any office for headquarters. Raises CaseRefusedError."""
        return await self._cases.find(tracking_code)

    async def close(self) -> None:
        """Close the connections."""
        await self._catalog_drafts.close()
        await self._text_drafts.close()
        await self._figures.close()
        await self._counter.close()
        await self._cases.close()
        await self._reports.close()
        await self._desk_keys.close()
        await self._files.close()
        await self._catalog.close()
