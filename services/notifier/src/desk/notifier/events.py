"""The events that notifier consumes, with only the fields that a notice needs, and those that it publishes."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from desk.chassis.events import Event
from desk.chassis.moments import Moment
from desk.iran.phone import Mobile
from desk.notifier.domain import NOTICES, Language, Template

COUNTRY = "+98"


def _mobile(e164: str) -> str:
    return Mobile(e164).e164 if e164.startswith(COUNTRY) else e164  # also an empty one


def _language(value: object) -> object:
    """Return Persian for a missing language, or one that only a later version of the desk supports."""
    return value if isinstance(value, str) and value in set(Language) else Language.FA


TrackingCode = Annotated[str, Field(pattern="^[0-9]{12}$")]


class Part(BaseModel):
    """A part of an event; validation errors do not contain the value."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)


class ProvinceData(Part):
    """A province, or the office that handles the request; ``name`` is Persian."""

    key: str = ""
    name: str


class SubjectData(Part):
    """A subject or sub-subject of the request."""

    title: str


class ApplicantData(Part):
    """The applicant's name; the gender is missing until the identity is confirmed."""

    first_name: str
    last_name: str
    gender: Literal["male", "female"] | None = None


class ContactData(Part):
    """The recipient. The email address has no space or line end, so it cannot add a header to an email."""

    mobile: Annotated[str, Field(pattern=r"^(\+[1-9][0-9]{6,14})?$"), AfterValidator(_mobile)]
    """In E.164; the number of an applicant who lives abroad may be foreign. Empty if there is none."""
    email: Annotated[str, Field(max_length=254, pattern=r"^[^\s@<>,;]+@[^\s@<>,;]+$")] | None = None
    language: Annotated[Language, BeforeValidator(_language)] = Language.FA
    """The language of notices."""

    @property
    def receives_sms(self) -> bool:
        """Whether our SMS providers reach the number: they serve Iranian ones only."""
        return self.mobile.startswith(COUNTRY)


class AnswerData(Part):
    """The experts' answer."""

    text: str
    at: Moment


class FileData(Part):
    """A file of the request."""

    name: str


class NewRequest(Event):
    """The fields of a new request."""

    tracking_code: TrackingCode
    submitted_at: Moment
    due_at: Moment
    province: ProvinceData
    office: ProvinceData | None = None
    """The office that handles it; absent in events of older desks, where it is that of the province."""
    subject: SubjectData
    sub_subject: SubjectData
    text: str
    attachments: list[FileData] = Field(default_factory=list)
    applicant: ApplicantData
    contact: ContactData


class RequestSubmitted(NewRequest):
    """A new request was sent to its province."""

    name: ClassVar[str] = "request-submitted"


class RequestPending(NewRequest):
    """A new request waits for the identity check of its applicant before it goes to the province."""

    name: ClassVar[str] = "request-pending"


class RequestContactChanged(Event):
    """The applicant has another mobile; the former one gets a message about it."""

    name: ClassVar[str] = "request-contact-changed"

    tracking_code: TrackingCode
    at: Moment
    contact: ContactData
    previous_mobile: Annotated[str, Field(pattern=r"^(\+[1-9][0-9]{6,14})?$"), AfterValidator(_mobile)]
    province: ProvinceData
    office: ProvinceData
    applicant: ApplicantData

    @property
    def former_contact(self) -> ContactData:
        """The contact before the change."""
        return self.contact.model_copy(update={"mobile": self.previous_mobile})


class RequestErased(Event):
    """The data of a request must be erased."""

    name: ClassVar[str] = "request-erased"

    tracking_code: TrackingCode
    certificate_id: str


class ErasureDone(Event):
    """Published to tracking: the data of a request is erased here; ``removed`` counts what, by kind."""

    name: ClassVar[str] = "request-erasure-done"
    receivers: ClassVar[tuple[str, ...]] = ("tracking",)

    tracking_code: str
    certificate_id: str
    at: Moment
    removed: dict[str, int]


class NoticeFailed(Event):
    """Published to tracking: a notice about a request was not delivered, and no further attempt is made."""

    name: ClassVar[str] = "notice-failed"
    receivers: ClassVar[tuple[str, ...]] = ("tracking",)

    tracking_code: str
    at: Moment
    notice: str
    """The occasion of the notice, such as ``answered``."""
    channel: str
    """``sms``; other channels may be added."""
    reason: str
    """A stable code, such as ``bad_recipient`` or ``not_delivered``; others may be added."""


class RequestStatusChanged(Event):
    """A request has a new state; the event contains the contact, so that notifier stores no applicants."""

    name: ClassVar[str] = "request-status-changed"

    tracking_code: TrackingCode
    state: str
    at: Moment
    due_at: Moment | None = None
    province: ProvinceData
    office: ProvinceData | None = None
    """As in :class:`NewRequest`."""
    applicant: ApplicantData
    contact: ContactData
    note: str | None = None
    reply_until: Moment | None = None
    """Until when the applicant can answer the question; absent in events of older desks."""
    reminder: bool = False
    """Whether the applicant is only reminded of the question."""
    answer: AnswerData | None = None

    @property
    def template(self) -> Template | None:
        """The notice of the new state; None if the state has no notice."""
        return Template.QUESTION_REMINDER if self.reminder else NOTICES.get(self.state)

    @model_validator(mode="after")
    def _require_fields_of_notice(self) -> Self:
        needed = {
            Template.ANSWERED: self.answer,
            Template.IDENTITY_REJECTED: self.note,
            Template.INFO_REQUESTED: self.note,
            Template.QUESTION_REMINDER: self.note and self.reply_until,
            Template.UNANSWERED: self.reply_until,
            Template.REJECTED: self.note,
            Template.REFERRED: self.note and self.due_at,
        }
        if self.template in needed and needed[self.template] is None:
            raise ValueError(f"{self.state} lacks a field that its notice needs")
        return self
