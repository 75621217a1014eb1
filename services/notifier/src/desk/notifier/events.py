"""What notifier listens to; each model holds only what a notice needs."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from desk.chassis.events import Event, Moment
from desk.iran.phone import Mobile
from desk.notifier.domain import NOTICES, Language, Template


def _mobile(text: str) -> str:
    return Mobile(text).e164


def _language(given: object) -> object:
    """Take Persian for what is not said, or said by a later desk than this one."""
    return given if isinstance(given, str) and given in set(Language) else Language.FA


TrackingCode = Annotated[str, Field(pattern="^[0-9]{12}$")]


class Part(BaseModel):
    """A part of an event; an error about it never repeats the value."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)


class ProvinceData(Part):
    """The province whose experts answer; ``name`` is Persian."""

    key: str = ""
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
    language: Annotated[Language, BeforeValidator(_language)] = Language.FA
    """In which language notices are written."""


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
    at: Moment
    due_at: Moment | None = None
    province: ProvinceData
    applicant: ApplicantData
    contact: ContactData
    note: str | None = None
    answer: AnswerData | None = None

    @property
    def template(self) -> Template | None:
        """What the applicant is told about the new state; None for a state they need not hear of."""
        return NOTICES.get(self.state)

    @model_validator(mode="after")
    def _says_what_its_notice_needs(self) -> Self:
        needed = {
            Template.ANSWERED: self.answer,
            Template.IDENTITY_REJECTED: self.note,
            Template.INFO_REQUESTED: self.note,
            Template.REJECTED: self.note,
            Template.REFERRED: self.note and self.due_at,
        }
        if self.template in needed and needed[self.template] is None:
            raise ValueError(f"{self.state} without what its notice says")
        return self
