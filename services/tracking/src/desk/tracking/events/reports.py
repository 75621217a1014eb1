"""What provinces report."""

from typing import Annotated, ClassVar, Self

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from desk.chassis.events import Event, Moment
from desk.tracking.domain import State
from desk.tracking.events.parts import FileReference, Text, Titled, TrackingCode


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
