"""The events that tracking consumes: new requests from intake, and reports from offices."""

from typing import Annotated, ClassVar, Self

from pydantic import ConfigDict, Field, NonNegativeInt, StringConstraints, TypeAdapter, model_validator

from desk.chassis.events import Event
from desk.chassis.moments import Moment
from desk.tracking.domain import Answer, File, Identity, RejectionReason, Request, State
from desk.tracking.events.parts import CertificateId, FileReference, Text, Titled, TrackingCode, WholeRequest

REPORTS_EXCHANGE = "desk.cases"
"""The exchange of the reports of offices."""
Kind = Annotated[str, StringConstraints(pattern=r"^[a-z]{1,20}$")]
Code = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]{1,40}$")]
_REQUEST = TypeAdapter(Request)


class RequestSubmitted(WholeRequest):
    """A new request.

    ``identity`` is ``unconfirmed`` if the civil registry cannot confirm the applicant; the names are then as typed.
    """

    name: ClassVar[str] = "request-submitted"

    identity: Identity = "confirmed"

    def to_request(self) -> Request:
        """Return the request."""
        return _REQUEST.validate_python(self.model_dump())


class RequestPending(WholeRequest):
    """A new request that is held back from its province until its applicant is looked up in the civil registry."""

    name: ClassVar[str] = "request-pending"

    def to_request(self) -> Request:
        """Return the request with an unconfirmed identity."""
        return _REQUEST.validate_python(self.model_dump() | {"identity": "unconfirmed"})


class RequestProbed(Event):
    """A synthetic request of ``desk-probe``."""

    name: ClassVar[str] = "request-probed"

    tracking_code: TrackingCode
    submitted_at: Moment


class RequestIdentityRejected(Event):
    """The civil registry does not confirm the applicant of a pending request."""

    name: ClassVar[str] = "request-identity-rejected"

    tracking_code: TrackingCode
    at: Moment
    reason: RejectionReason


class CaseReport(Event):
    """Base of the reports of provinces; ``at`` is when it happened there."""

    exchange: ClassVar[str] = REPORTS_EXCHANGE
    resulting_state: ClassVar[State]

    tracking_code: TrackingCode
    at: Moment

    @property
    def note(self) -> str | None:
        """The text that the applicant reads with the new state."""
        return None

    @property
    def answer(self) -> Answer | None:
        """The answer, if the report contains one."""
        return None


class CaseReceived(CaseReport):
    """The province has the request."""

    name: ClassVar[str] = "case-received"
    resulting_state: ClassVar[State] = State.RECEIVED


class CaseAssigned(CaseReport):
    """An expert has taken the case."""

    name: ClassVar[str] = "case-assigned"
    resulting_state: ClassVar[State] = State.IN_PROGRESS


class CaseOpened(Event):
    """An expert has opened the case. It changes no state; the applicant sees it in the history."""

    exchange: ClassVar[str] = REPORTS_EXCHANGE
    name: ClassVar[str] = "case-opened"

    tracking_code: TrackingCode
    at: Moment


class CaseInfoRequested(CaseReport):
    """The experts ask the applicant something."""

    name: ClassVar[str] = "case-info-requested"
    resulting_state: ClassVar[State] = State.INFO_REQUESTED

    question: Text
    answer_within_days: Annotated[int, Field(ge=1, le=60)] | None = None
    """Working days for the applicant's answer; the desk's usual number if absent."""

    @property
    def note(self) -> str | None:
        """The question."""
        return self.question


class CaseAnswered(CaseReport):
    """The experts' answer."""

    name: ClassVar[str] = "case-answered"
    resulting_state: ClassVar[State] = State.ANSWERED

    text: Text
    files: list[FileReference] = Field(default_factory=list, max_length=10)

    @property
    def answer(self) -> Answer | None:
        """The answer."""
        return Answer(self.text, self.at, tuple(File(**file.model_dump()) for file in self.files))


class CaseRejected(CaseReport):
    """The request cannot be granted."""

    name: ClassVar[str] = "case-rejected"
    resulting_state: ClassVar[State] = State.REJECTED

    reason: Text

    @property
    def note(self) -> str | None:
        """The reason."""
        return self.reason


class CaseTakenOver(CaseReport):
    """Headquarters takes the case over from its office; the applicant reads the reason."""

    name: ClassVar[str] = "case-taken-over"
    resulting_state: ClassVar[State] = State.REFERRED

    reason: Text

    @property
    def note(self) -> str | None:
        """The reason."""
        return self.reason


class CaseCommented(Event):
    """Headquarters comments on a case to its office. The applicant never sees it."""

    exchange: ClassVar[str] = REPORTS_EXCHANGE
    name: ClassVar[str] = "case-commented"

    tracking_code: TrackingCode
    at: Moment
    text: Text


class CaseErased(Event):
    """The office has erased the data of a case, as ``request-erased`` asked for."""

    name: ClassVar[str] = "case-erased"
    exchange: ClassVar[str] = REPORTS_EXCHANGE

    tracking_code: TrackingCode
    at: Moment
    certificate_id: CertificateId


class ErasureDone(Event):
    """A service of the desk has erased its data of a request; ``removed`` counts what, by kind."""

    name: ClassVar[str] = "request-erasure-done"

    tracking_code: TrackingCode
    certificate_id: CertificateId
    at: Moment
    removed: dict[Kind, NonNegativeInt] = Field(default_factory=dict, max_length=8)


class NoticeFailed(Event):
    """notifier could not deliver a notice about a request, and makes no further attempt. The codes may be new ones."""

    name: ClassVar[str] = "notice-failed"

    tracking_code: TrackingCode
    at: Moment
    notice: Code
    channel: Code
    reason: Code


class SubjectNamed(Titled):
    """A subject or sub-subject of the catalogue, as a province names it."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    key: Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]{1,40}$")]
    title: Annotated[str, StringConstraints(max_length=200)] = ""
    """Ignored: the applicant reads the title in the catalogue."""


class CaseReferred(CaseReport):
    """The request is for another office, or about another subject here or there; a subject needs both parts."""

    name: ClassVar[str] = "case-referred"
    resulting_state: ClassVar[State] = State.REFERRED

    province: str
    """The key of the office: of a province, or ``headquarters``."""
    reason: Text
    subject: SubjectNamed | None = None
    sub_subject: SubjectNamed | None = None

    @model_validator(mode="after")
    def _require_whole_subject(self) -> Self:
        if (self.subject is None) != (self.sub_subject is None):
            raise ValueError("a subject without a sub-subject, or the other way round")
        return self

    @property
    def note(self) -> str | None:
        """The reason."""
        return self.reason

    @property
    def subject_keys(self) -> tuple[str, str] | None:
        """The keys of the new subject and sub-subject, if the report names them."""
        if self.subject is None or self.sub_subject is None:
            return None
        return self.subject.key, self.sub_subject.key


STATE_REPORTS: tuple[type[CaseReport], ...] = (
    CaseReceived,
    CaseAssigned,
    CaseInfoRequested,
    CaseAnswered,
    CaseRejected,
)
"""The reports that only change the state of a case."""
REPORTS: tuple[type[CaseReport], ...] = (*STATE_REPORTS, CaseReferred)
