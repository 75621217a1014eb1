"""What notifier listens to; each model holds only what a notice needs."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from desk.chassis.events import Event, Moment
from desk.iran.phone import Mobile

ANSWERED_STATE, IDENTITY_REJECTED_STATE = "answered", "identity_rejected"


def _mobile(text: str) -> str:
    return Mobile(text).e164


TrackingCode = Annotated[str, Field(pattern="^[0-9]{12}$")]


class Part(BaseModel):
    """A part of an event; an error about it never repeats the value."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)


class ProvinceData(Part):
    """The province whose experts answer."""

    name: str


class SubjectData(Part):
    """The main subject of the request."""

    title: str


class ApplicantData(Part):
    """Whom to greet; an applicant whose identity is not confirmed yet may have no gender."""

    first_name: str
    last_name: str
    gender: Literal["male", "female"] | None = None


class ContactData(Part):
    """Where notices go; the address can hold no space or line end, so it cannot add a header to an email."""

    mobile: Annotated[str, AfterValidator(_mobile)]
    email: Annotated[str, Field(max_length=254, pattern=r"^[^\s@<>,;]+@[^\s@<>,;]+$")] | None = None


class AnswerData(Part):
    """The experts' answer."""

    text: str
    at: Moment


class NewRequest(Event):
    """What a notice of a new request says."""

    tracking_code: TrackingCode
    submitted_at: Moment
    due_at: Moment
    province: ProvinceData
    subject: SubjectData
    applicant: ApplicantData
    contact: ContactData


class RequestSubmitted(NewRequest):
    """A new request, on its way to the province."""

    name: ClassVar[str] = "request-submitted"


class RequestPending(NewRequest):
    """A new request whose applicant is to be looked up before it goes to the province."""

    name: ClassVar[str] = "request-pending"


class RequestStatusChanged(Event):
    """A request's new state; tracking sends the contact along, so that notifier remembers nobody."""

    name: ClassVar[str] = "request-status-changed"

    tracking_code: TrackingCode
    state: str
    province: ProvinceData
    applicant: ApplicantData
    contact: ContactData
    note: str | None = None
    answer: AnswerData | None = None

    @model_validator(mode="after")
    def _says_what_its_notice_needs(self) -> Self:
        if self.state == ANSWERED_STATE and self.answer is None:
            raise ValueError("answered without an answer")
        if self.state == IDENTITY_REJECTED_STATE and self.note is None:
            raise ValueError("identity rejected without a reason")
        return self
