"""One thing the desk told a province of a request, and what the province may report about it."""

import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from desk.expert.errors import FileRefusedError
from desk.expert.events import FileReference, Refusal, Reply, Request, Titled, Told
from desk.expert.files import Attachment, Files

Report = Callable[[str, str, str, dict[str, Any]], Awaitable[None]]
"""Sends a report: its name, its id, the tracking code and the data."""


@dataclass(slots=True)
class Case:
    """``kind`` says what happened: ``request-submitted``, ``request-replied``, ``case-refused`` and so on.

    ``request`` is there with ``request-submitted`` and ``request-referred``, ``refusal`` with ``case-refused``,
    ``reply`` with ``request-replied``; ``data`` is all the event says. Reports made while a case is handled go out
    once, also if handling breaks off and the case comes again: their order is what tells them apart.
    """

    event_id: str
    kind: str
    tracking_code: str
    data: dict[str, Any]
    request: Request | None
    refusal: Refusal | None
    _report: Report = field(repr=False)
    _files: Files | None = field(repr=False)
    seq: int = 0
    """The number of what was told of this request: the higher, the later."""
    _reports: int = 0
    reply: Reply | None = field(default=None, kw_only=True)

    @classmethod
    def of(cls, told: Told, report: Report, files: Files | None) -> Self:
        """Give what the desk told as a case."""
        return cls(
            told.id,
            told.kind,
            told.tracking_code,
            told.data,
            told.request,
            told.refusal,
            report,
            files,
            told.seq,
            reply=told.reply,
        )

    @property
    def told(self) -> Told:
        """What the desk told, without the means to report on it: to be kept, and reported on later."""
        return Told(
            self.event_id, self.kind, self.tracking_code, self.seq, self.data, self.request, self.refusal, self.reply
        )

    @property
    def attachments(self) -> list[Attachment]:
        """The files of the request and of earlier replies, or of the reply.

        Raises FileRefusedError if the inbox was given no door for files.
        """
        named = list(self.reply.files) if self.reply else []
        if self.request is not None:
            named = [*self.request.attachments, *(file for step in self.request.history for file in step.files)]
        return [Attachment(file, self._door) for file in named]

    @property
    def _door(self) -> Files:
        if self._files is None:
            raise FileRefusedError("no_files", "give the inbox files=Files(...)")
        return self._files

    async def received(self) -> None:
        """Report that the province has the request. Raises BrokerAwayError, as do all reports."""
        await self._send("case-received", {})

    async def assigned(self) -> None:
        """Report that an expert has taken the case."""
        await self._send("case-assigned", {})

    async def ask(self, question: str) -> None:
        """Ask the applicant something."""
        await self._send("case-info-requested", {"question": question})

    async def answer(self, text: str, files: Sequence[Path] = ()) -> None:
        """Answer, with files that are put up first. Raises FileRefusedError too."""
        references: list[FileReference] = [await self._door.put_up(self.tracking_code, path) for path in files]
        await self._send("case-answered", {"text": text, "files": [each.model_dump() for each in references]})

    async def reject(self, reason: str) -> None:
        """Say that the request cannot be granted."""
        await self._send("case-rejected", {"reason": reason})

    async def refer(
        self, province: str, reason: str, *, subject: Titled | None = None, sub_subject: Titled | None = None
    ) -> None:
        """Hand the case to a province, named by its key, or to another subject there or here: then both parts of it."""
        data: dict[str, Any] = {"province": province, "reason": reason}
        if subject is not None and sub_subject is not None:
            data |= {"subject": subject.model_dump(), "sub_subject": sub_subject.model_dump()}
        await self._send("case-referred", data)

    async def _send(self, name: str, data: dict[str, Any]) -> None:
        self._reports += 1
        report_id = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{self.event_id}/{self._reports}/{name}"))
        await self._report(name, report_id, self.tracking_code, data)
