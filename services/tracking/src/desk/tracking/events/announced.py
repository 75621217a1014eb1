"""What tracking announces: new states, what applicants did, and what is late or silent."""

from typing import ClassVar, Literal

from pydantic import Field

from desk.chassis.events import Event, Moment
from desk.tracking.domain import State
from desk.tracking.events.parts import AnswerData, ApplicantName, Contact, FileReference, Named, Titled


class RequestStatusChanged(Event):
    """Announced: a request's new state, with what is public of it and how its applicant can be told."""

    name: ClassVar[str] = "request-status-changed"

    tracking_code: str
    state: State
    state_title: str
    at: Moment
    due_at: Moment
    province: Named
    note: str | None
    answer: AnswerData | None
    applicant: ApplicantName
    contact: Contact


class ApplicantMove(Event):
    """Base of what the applicant did, announced to the province; ``at`` is when."""

    tracking_code: str
    at: Moment


class RequestReplied(ApplicantMove):
    """Announced: the applicant has answered the experts' question."""

    name: ClassVar[str] = "request-replied"

    text: str
    files: list[FileReference] = Field(default_factory=list)


class RequestWithdrawn(ApplicantMove):
    """Announced: the applicant has taken the request back; nothing is to be done about it any more."""

    name: ClassVar[str] = "request-withdrawn"

    reason: str | None


class RequestPendingWithdrawn(ApplicantMove):
    """Announced to intake: the applicant has taken the request back before being looked up, which need not be done."""

    name: ClassVar[str] = "request-pending-withdrawn"


class RequestRated(ApplicantMove):
    """Announced: the applicant has rated the answer, from 1 (bad) to 5 (very good)."""

    name: ClassVar[str] = "request-rated"

    rating: int = Field(ge=1, le=5)
    comment: str | None


class RequestObjected(ApplicantMove):
    """Announced: the applicant objects to the answer; the case is open again, and it is for the supervisor."""

    name: ClassVar[str] = "request-objected"

    text: str
    for_role: Literal["supervisor"] = "supervisor"
    """Who in the province is to look at it."""


class LateCase(Event):
    """Base of what is said about a case whose answer is late; ``due_at`` is until when it was in time."""

    tracking_code: str
    at: Moment
    due_at: Moment
    state: State
    province: Named
    subject: Titled
    sub_subject: Titled


class RequestOverdue(LateCase):
    """Announced to the province, once in each period: its answer is late."""

    name: ClassVar[str] = "request-overdue"


class RequestEscalated(LateCase):
    """Announced to headquarters, once: a second period has gone by without an answer."""

    name: ClassVar[str] = "request-escalated"


class ProvinceSilent(Event):
    """Announced to headquarters: a province acknowledges nothing while requests wait for it."""

    name: ClassVar[str] = "province-silent"

    province: Named
    at: Moment
    waiting: int
    """How many requests it has not acknowledged in time."""
    oldest_since: Moment
    """Since when the oldest of them waits."""


class CaseRefused(Event):
    """Announced to a province: its report was not applied, and why."""

    name: ClassVar[str] = "case-refused"

    tracking_code: str
    report: str
    """The type of the refused event."""
    report_id: str
    reason: str
    """A stable code: ``illegal_move``, ``foreign_case``, ``unknown_case``, ``same_province``, ``unknown_province``,
    ``forged_sender`` or ``wrong_subject``; others may be added."""
    explanation: str
    at: Moment
