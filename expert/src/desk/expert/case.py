"""A case: one event of the desk, and the reports that the office may send about it."""

import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from desk.expert.errors import FileRefusedError
from desk.expert.events import (
    CaseEvent,
    Comment,
    ContactChange,
    Erasure,
    Escalation,
    NoticeFailure,
    Objection,
    Refusal,
    Reply,
    Silence,
    TakeOver,
    Unanswered,
)
from desk.expert.files import Attachment, Files
from desk.expert.report_data import check_data
from desk.expert.requests import Request, Titled

Report = Callable[[str, str, str, dict[str, Any]], Awaitable[None]]
"""Sends a report: its name, its id, the tracking code and the data."""


@dataclass(slots=True)
class Case:
    """``kind`` is the name of the event: ``request-submitted``, ``request-replied``, ``case-refused`` and so on.

    ``request`` is set for ``request-submitted`` and ``request-referred``, ``refusal`` for ``case-refused``, ``reply``
    for ``request-replied``, ``objection`` for ``request-objected``, ``takeover`` for ``request-taken-over``,
    ``comment`` for ``request-commented``, ``notice_failure`` for ``request-notice-failed``, ``unanswered`` for
    ``request-unanswered``, ``contact_change`` for ``request-contact-changed`` and ``erasure`` for ``request-erased``;
    for headquarters also ``escalation`` for ``request-escalated`` and ``silence`` for ``province-silent``. ``data`` is
    all data of the event. A report that is sent again because handling was interrupted counts once: its id is derived
    from the event and its position.
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
    """The number of the event among those of the request: the highest is the latest."""
    _reports: int = 0
    reply: Reply | None = field(default=None, kw_only=True)
    objection: Objection | None = field(default=None, kw_only=True)
    erasure: Erasure | None = field(default=None, kw_only=True)
    takeover: TakeOver | None = field(default=None, kw_only=True)
    comment: Comment | None = field(default=None, kw_only=True)
    escalation: Escalation | None = field(default=None, kw_only=True)
    silence: Silence | None = field(default=None, kw_only=True)
    notice_failure: NoticeFailure | None = field(default=None, kw_only=True)
    unanswered: Unanswered | None = field(default=None, kw_only=True)
    contact_change: ContactChange | None = field(default=None, kw_only=True)

    @classmethod
    def from_event(cls, event: CaseEvent, report: Report, files: Files | None) -> Self:
        """Return the case of an event."""
        return cls(
            event.id,
            event.kind,
            event.tracking_code,
            event.data,
            event.request,
            event.refusal,
            report,
            files,
            event.seq,
            reply=event.reply,
            objection=event.objection,
            erasure=event.erasure,
            takeover=event.takeover,
            comment=event.comment,
            escalation=event.escalation,
            silence=event.silence,
            notice_failure=event.notice_failure,
            unanswered=event.unanswered,
            contact_change=event.contact_change,
        )

    @property
    def event(self) -> CaseEvent:
        """The event alone, to store it and report on it later."""
        return CaseEvent(
            self.event_id,
            self.kind,
            self.tracking_code,
            self.seq,
            self.data,
            self.request,
            self.refusal,
            self.reply,
            self.objection,
            self.erasure,
            self.takeover,
            self.comment,
            self.escalation,
            self.silence,
            self.notice_failure,
            self.unanswered,
            self.contact_change,
        )

    @property
    def attachments(self) -> list[Attachment]:
        """The files of the request and of earlier replies, or of the reply.

        Raises FileRefusedError if the inbox has no client for files.
        """
        named = list(self.reply.files) if self.reply else []
        if self.request is not None:
            named = [*self.request.attachments, *(file for step in self.request.history for file in step.files)]
        return [Attachment(file, self._required_files) for file in named]

    @property
    def _required_files(self) -> Files:
        if self._files is None:
            raise FileRefusedError("no_files", "give the inbox files=Files(...)")
        return self._files

    async def received(self) -> None:
        """Report that the office has the request.

        Raises InvalidReportError, BrokerUnavailableError or DeskKeysUnavailableError, as do all reports.
        """
        await self._send("case-received", {})

    async def assigned(self) -> None:
        """Report that an expert works on the case."""
        await self._send("case-assigned", {})

    async def opened(self) -> None:
        """Report that an expert has opened the case, which the applicant sees.

        It changes no state. Send it at most once a day for each expert and case.
        """
        await self._send("case-opened", {})

    async def ask(self, question: str, *, answer_within_days: int | None = None) -> None:
        """Ask the applicant a question, to be answered within so many working days, 1 to 60.

        Without a number the desk's usual one applies. Without an answer the case is closed (``request-unanswered``).
        """
        term = {} if answer_within_days is None else {"answer_within_days": answer_within_days}
        await self._send("case-info-requested", {"question": question, **term})

    async def answer(self, text: str, files: Sequence[Path] = ()) -> None:
        """Upload the files and answer. Also raises FileRefusedError. A wrong text is noticed before the upload.

        The answer to an objection must be a supervisor's decision, never that of the person who answered before.
        """
        check_data("case-answered", {"text": text})
        references = [await self._required_files.upload(self.tracking_code, path) for path in files]
        await self._send("case-answered", {"text": text, "files": [each.model_dump() for each in references]})

    async def reject(self, reason: str) -> None:
        """Reject the request."""
        await self._send("case-rejected", {"reason": reason})

    async def refer(
        self, province: str, reason: str, *, subject: Titled | None = None, sub_subject: Titled | None = None
    ) -> None:
        """Refer the case to an office, by its key, or to another subject, by both parts of it, there or here."""
        named = {"subject": subject, "sub_subject": sub_subject}
        parts = {name: {"key": part.key, "title": part.title} for name, part in named.items() if part is not None}
        await self._send("case-referred", {"province": province, "reason": reason, **parts})

    async def take_over(self, reason: str) -> None:
        """Take the case over from its office; headquarters alone may. The applicant reads the reason."""
        await self._send("case-taken-over", {"reason": reason})

    async def comment_to_office(self, text: str) -> None:
        """Comment on the case to its office; headquarters alone may. The applicant never sees it."""
        await self._send("case-commented", {"text": text})

    async def erased(self) -> None:
        """Report that the office has erased all it stored of the case. Raises ValueError for another event.

        Call it last, once the data is deleted: the request, answers, files, drafts and search indexes. Keep the
        tracking code, so that an event about the case which arrives later brings nothing back.
        """
        if self.erasure is None:
            raise ValueError(f"{self.kind} does not ask to erase")
        await self._send("case-erased", {"certificate_id": self.erasure.certificate_id})

    async def _send(self, name: str, data: dict[str, Any]) -> None:
        check_data(name, data)
        self._reports += 1
        report_id = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{self.event_id}/{self._reports}/{name}"))
        await self._report(name, report_id, self.tracking_code, data)
