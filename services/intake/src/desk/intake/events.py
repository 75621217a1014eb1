"""What intake announces, and what it hears."""

from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from desk.chassis.events import Event, Moment


class Named(BaseModel):
    """A province: its key and its Persian name."""

    key: str
    name: str


class Titled(BaseModel):
    """A subject or sub-subject: its key and its Persian title."""

    key: str
    title: str


class ApplicantData(BaseModel):
    """The applicant as the civil registry knows them, or as they call themselves while it has not answered.

    ``birth_date`` is Jalali ``YYYY-MM-DD``; ``national_id`` has ten digits, a foreign national's code twelve.
    """

    model_config = ConfigDict(from_attributes=True)

    national_id: str
    birth_date: str
    first_name: str
    last_name: str
    gender: str


class ContactData(BaseModel):
    """How the applicant can be reached; phones in E.164. ``language`` is the one in which notices are written."""

    model_config = ConfigDict(from_attributes=True)

    mobile: str
    landline: str | None
    email: str | None
    language: Literal["fa", "en"] = "fa"


class AttachmentData(BaseModel):
    """A file of the request; its content is fetched over HTTP, never sent in an event. ``size`` is in bytes."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    name: str
    size: int
    media_type: str
    sha256: str


class WholeRequest(Event):
    """A request with everything there is of it."""

    tracking_code: str
    submitted_at: Moment
    due_at: Moment
    province: Named
    subject: Titled
    sub_subject: Titled
    applicant: ApplicantData
    contact: ContactData
    text: str
    attachments: list[AttachmentData]


class RequestSubmitted(WholeRequest):
    """A new request, whole, for the experts of its province.

    ``identity`` is ``unconfirmed`` where the civil registry cannot say who the applicant is: the names are typed.
    """

    name: ClassVar[str] = "request-submitted"

    identity: Literal["confirmed", "unconfirmed"]


class RequestPending(WholeRequest):
    """A new request that no province hears of yet: the civil registry could not be asked who the applicant is."""

    name: ClassVar[str] = "request-pending"


class RequestIdentityRejected(Event):
    """The end of a pending request: the civil registry does not know the applicant so."""

    name: ClassVar[str] = "request-identity-rejected"

    tracking_code: str
    at: Moment
    reason: Literal["not_matched", "deceased", "referred"]


class PendingWithdrawn(Event):
    """Heard from tracking: the applicant has taken a pending request back."""

    name: ClassVar[str] = "request-pending-withdrawn"

    tracking_code: str


class ReplyFile(BaseModel):
    """A file a reply names."""

    model_config = ConfigDict(extra="ignore")

    id: str


class Replied(Event):
    """Heard from tracking: the applicant has answered a question."""

    name: ClassVar[str] = "request-replied"

    tracking_code: str
    files: list[ReplyFile] = Field(default_factory=list)


class Referred(Event):
    """Heard from tracking: the request is another province's now."""

    name: ClassVar[str] = "request-referred"

    tracking_code: str
    province: Named
