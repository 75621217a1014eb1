"""What tracking hears and what it announces."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from desk.chassis.events import Event, Moment
from desk.tracking.domain import RejectionReason, State

TrackingCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{12}$")]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=8000)]


class Named(BaseModel):
    """A province: its key and its Persian name."""

    key: str
    name: str


class Titled(BaseModel):
    """A subject or sub-subject: its key and its Persian title."""

    key: str
    title: str


class ApplicantName(BaseModel):
    """How a notice addresses the applicant."""

    model_config = ConfigDict(extra="ignore")

    first_name: str
    last_name: str
    gender: str


class Applicant(ApplicantName):
    """The applicant as the civil registry knows them; ``birth_date`` is Jalali ``YYYY-MM-DD``."""

    national_id: str
    birth_date: str


class Contact(BaseModel):
    """How the applicant can be reached, and in which language; phones in E.164."""

    model_config = ConfigDict(extra="ignore")

    mobile: str
    landline: str | None = None
    email: str | None = None
    language: str = "fa"


class FileReference(BaseModel):
    """A file, fetched over HTTP by its id; ``size`` is in bytes."""

    id: str
    name: str
    size: int
    media_type: str
    sha256: str


class WholeRequest(Event):
    """A request with everything its experts need."""

    tracking_code: TrackingCode
    submitted_at: Moment
    due_at: Moment
    province: Named
    subject: Titled
    sub_subject: Titled
    applicant: Applicant
    contact: Contact
    text: str
    attachments: list[FileReference] = Field(default_factory=list)


class RequestSubmitted(WholeRequest):
    """Heard from intake: a new request.

    ``identity`` is ``unconfirmed`` where the civil registry cannot say who the applicant is: the names are typed.
    """

    name: ClassVar[str] = "request-submitted"

    identity: Literal["confirmed", "unconfirmed"] = "confirmed"


class RequestPending(WholeRequest):
    """Heard from intake: a new request that no province hears of before its applicant has been looked up."""

    name: ClassVar[str] = "request-pending"

    @property
    def unconfirmed(self) -> RequestSubmitted:
        """The same request as it stands while nobody vouches for its names."""
        return RequestSubmitted.model_validate(self.model_dump() | {"identity": "unconfirmed"})


class RequestIdentityRejected(Event):
    """Heard from intake: the civil registry does not vouch for the applicant of a pending request."""

    name: ClassVar[str] = "request-identity-rejected"

    tracking_code: TrackingCode
    at: Moment
    reason: RejectionReason


class RequestReferred(WholeRequest):
    """Announced to the province a request was referred to; ``identity`` as in ``request-submitted``."""

    name: ClassVar[str] = "request-referred"

    identity: Literal["confirmed", "unconfirmed"] = "confirmed"
    reason: str | None = None


class CaseReport(Event):
    """Base of what provinces report; ``at`` is when it happened there."""

    exchange: ClassVar[str] = "desk.cases"
    leads_to: ClassVar[State]

    tracking_code: TrackingCode
    at: Moment

    @property
    def note(self) -> str | None:
        """What the applicant is told beside the state."""
        return None


class CaseReceived(CaseReport):
    """The province has the request."""

    name: ClassVar[str] = "case-received"
    leads_to: ClassVar[State] = State.RECEIVED


class CaseAssigned(CaseReport):
    """An expert has taken the case."""

    name: ClassVar[str] = "case-assigned"
    leads_to: ClassVar[State] = State.IN_PROGRESS


class CaseInfoRequested(CaseReport):
    """The experts ask the applicant something."""

    name: ClassVar[str] = "case-info-requested"
    leads_to: ClassVar[State] = State.INFO_REQUESTED

    question: Text

    @property
    def note(self) -> str | None:
        """The question."""
        return self.question


class CaseAnswered(CaseReport):
    """The experts' answer."""

    name: ClassVar[str] = "case-answered"
    leads_to: ClassVar[State] = State.ANSWERED

    text: Text
    files: list[FileReference] = Field(default_factory=list, max_length=10)


class CaseRejected(CaseReport):
    """The request cannot be granted."""

    name: ClassVar[str] = "case-rejected"
    leads_to: ClassVar[State] = State.REJECTED

    reason: Text

    @property
    def note(self) -> str | None:
        """The reason."""
        return self.reason


class SubjectNamed(Titled):
    """A subject or sub-subject of the catalogue, as a province names it."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    key: Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]{1,40}$")]
    title: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class CaseReferred(CaseReport):
    """The request concerns another province, or another subject in this one or another; a subject needs both parts."""

    name: ClassVar[str] = "case-referred"
    leads_to: ClassVar[State] = State.REFERRED

    province: str
    reason: Text
    subject: SubjectNamed | None = None
    sub_subject: SubjectNamed | None = None

    @model_validator(mode="after")
    def _names_a_whole_subject(self) -> Self:
        if (self.subject is None) != (self.sub_subject is None):
            raise ValueError("a subject without a sub-subject, or the other way round")
        return self

    @property
    def note(self) -> str | None:
        """The reason."""
        return self.reason


REPORTS: tuple[type[CaseReport], ...] = (
    CaseReceived,
    CaseAssigned,
    CaseInfoRequested,
    CaseAnswered,
    CaseRejected,
    CaseReferred,
)


class AnswerData(BaseModel):
    """An answer as it is announced and shown."""

    text: str
    at: Moment
    files: list[FileReference] = Field(default_factory=list)


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
    explanation: str
    at: Moment
