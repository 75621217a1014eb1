"""The events that tracking publishes about new states, actions of applicants, referrals and refused reports."""

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field

from desk.chassis.events import Event
from desk.chassis.moments import Moment
from desk.tracking.domain import Action, ErasureReason, Identity, RefusalReason, State
from desk.tracking.events.parts import (
    AnswerData,
    ApplicantName,
    Contact,
    FileReference,
    HistoryEntry,
    Named,
    WholeRequest,
)

NO_OFFICE = "desk"
"""The key of ``request-erased`` for a request that no office has had."""


class RequestStatusChanged(Event):
    """A request has a new state; the event holds what the applicant may read, and how to reach the applicant."""

    name: ClassVar[str] = "request-status-changed"
    receivers: ClassVar[tuple[str, ...]] = ("notifier",)

    tracking_code: str
    state: State
    state_title: str
    at: Moment
    due_at: Moment
    province: Named
    office: Named | None = None
    """The office that has the request: that of ``province``, or headquarters."""
    note: str | None
    reply_until: Moment | None = None
    """Until when the applicant can answer the question, or open a case again that was closed without an answer."""
    reminder: bool = False
    """Whether this only repeats the state ``info_requested``, because its question has not been answered."""
    answer: AnswerData | None
    applicant: ApplicantName
    contact: Contact


class RequestReferred(WholeRequest):
    """To the office a request was referred to, or that takes it over; ``identity`` as in ``request-submitted``."""

    name: ClassVar[str] = "request-referred"
    receivers: ClassVar[tuple[str, ...]] = ("intake", "{key}")

    identity: Identity = "confirmed"
    reason: str | None = None
    history: list[HistoryEntry] = Field(default_factory=list)
    """The history so far, so that the applicant is asked nothing a second time."""
    office_due_at: Moment | None = None
    """When this office has to answer, if the day promised to the applicant, ``due_at``, is over already."""


class RequestTakenOver(Event):
    """To an office that has a case no longer, because headquarters took it over or decides the second objection."""

    name: ClassVar[str] = "request-taken-over"
    receivers: ClassVar[tuple[str, ...]] = ("{key}",)

    tracking_code: str
    at: Moment
    office: Named
    """The office that has the case now."""
    reason: str | None


class RequestCommented(Event):
    """To the office of a case: headquarters comments on it. The applicant never sees the text."""

    name: ClassVar[str] = "request-commented"
    receivers: ClassVar[tuple[str, ...]] = ("{key}",)

    tracking_code: str
    at: Moment
    office: Named
    """The office that comments."""
    text: str


class RequestNoticeFailed(Event):
    """To the office of a case: a notice did not reach the applicant, so another way to the applicant may be needed."""

    name: ClassVar[str] = "request-notice-failed"
    receivers: ClassVar[tuple[str, ...]] = ("{key}",)

    tracking_code: str
    at: Moment
    notice: str
    """What it was about: ``submitted``, ``answered``, ``info_requested`` and so on; others may be added."""
    channel: str
    """``sms``; others may be added."""
    reason: str
    """A stable code, such as ``bad_recipient``, ``not_delivered`` or ``no_report``; others may be added."""


class RequestContactChanged(Event):
    """To the office of a case, and to notifier: the applicant has another mobile, which a code has proven.

    Messages about the request go to it from now on, and later events contain it. The number is the applicant's own,
    also if the office had registered that of a helper.
    """

    name: ClassVar[str] = "request-contact-changed"
    receivers: ClassVar[tuple[str, ...]] = ("notifier", "{key}")

    tracking_code: str
    at: Moment
    contact: Contact
    """All contact data, of which only the mobile has changed."""
    previous_mobile: str
    """E.164; empty if there was none."""
    province: Named
    office: Named
    """The office that has the request: that of ``province``, or headquarters."""
    applicant: ApplicantName


class ApplicantActed(Event):
    """Base of the events about an applicant's action; ``at`` is when."""

    tracking_code: str
    at: Moment


class RequestReplied(ApplicantActed):
    """To the province: the applicant has answered the experts' question."""

    name: ClassVar[str] = "request-replied"
    receivers: ClassVar[tuple[str, ...]] = ("intake", "{key}")

    text: str
    files: list[FileReference] = Field(default_factory=list)


class RequestUnanswered(Event):
    """To the office: the applicant has not answered the question in time. ``request-replied`` opens the case again."""

    name: ClassVar[str] = "request-unanswered"
    receivers: ClassVar[tuple[str, ...]] = ("{key}",)

    tracking_code: str
    at: Moment
    reply_until: Moment
    """Until when the applicant may still answer; then the request is closed."""


class RequestWithdrawn(ApplicantActed):
    """To the province: the applicant has withdrawn the request; it needs no further work."""

    name: ClassVar[str] = "request-withdrawn"
    receivers: ClassVar[tuple[str, ...]] = ("{key}",)

    reason: str | None


class RequestPendingWithdrawn(ApplicantActed):
    """To intake: the applicant has withdrawn a pending request; the look-up in the civil registry is not needed."""

    name: ClassVar[str] = "request-pending-withdrawn"
    receivers: ClassVar[tuple[str, ...]] = ("intake",)


class RequestRated(ApplicantActed):
    """To the province: the applicant has rated the answer, from 1 (bad) to 5 (very good)."""

    name: ClassVar[str] = "request-rated"
    receivers: ClassVar[tuple[str, ...]] = ("{key}",)

    rating: int = Field(ge=1, le=5)
    comment: str | None


class RequestObjected(ApplicantActed):
    """To the province: the applicant objects to the answer; the case is open again, for a supervisor.

    The person who gave the answer must not handle the objection.
    """

    name: ClassVar[str] = "request-objected"
    receivers: ClassVar[tuple[str, ...]] = ("{key}",)

    text: str
    for_role: Literal["supervisor"] = "supervisor"
    """The role in the province that handles the objection."""
    answer_report_id: str | None = None
    """The id of the report that brought the answer or the rejection, so that the province knows who gave it."""


ACTED: Mapping[Action, type[ApplicantActed]] = {
    Action.REPLY: RequestReplied,
    Action.WITHDRAW: RequestWithdrawn,
    Action.RATE: RequestRated,
    Action.OBJECT: RequestObjected,
}
"""The event of each action. ``text``, ``reason`` and ``comment`` are what the applicant wrote."""


class RequestErased(Event):
    """To an office that has had the request, and to the desk's services: erase its data, and acknowledge.

    The event has no personal data. Events about the request that arrive later change nothing. An office acknowledges
    by ``case-erased``; headquarters need not if it has only been informed about a late answer.
    """

    name: ClassVar[str] = "request-erased"
    receivers: ClassVar[tuple[str, ...]] = ("intake", "notifier", "{key}")

    tracking_code: str
    reason: ErasureReason
    certificate_id: str
    at: Moment

    @classmethod
    def receivers_of(cls, key: str) -> tuple[str, ...]:
        """Return the receivers: the services alone for a request that no office has had."""
        return ("intake", "notifier") if key == NO_OFFICE else super().receivers_of(key)


class CaseRefused(Event):
    """To a province: its report was not applied, and why."""

    name: ClassVar[str] = "case-refused"
    receivers: ClassVar[tuple[str, ...]] = ("{key}",)

    tracking_code: str
    report: str
    """The name of the refused report, such as ``case-answered``."""
    report_id: str
    """Its ``id``."""
    reason: RefusalReason
    """A stable code; others may be added."""
    explanation: str
    field: str | None = None
    """The field at fault, as a path: ``data.text``, ``seq``, ``message_id``."""
    rule: str | None = None
    """The rule that the field breaks, for ``contract_broken``: ``missing``, ``string_too_long`` and so on."""
    expected_seq: int | None = None
    """The number that the office's next report on this case needs, for ``sequence_used`` and ``overtaken``."""
    at: Moment
