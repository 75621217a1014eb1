"""What intake announces."""

from typing import ClassVar

from pydantic import BaseModel, ConfigDict

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
    """The applicant as the civil registry knows them; ``birth_date`` is Jalali ``YYYY-MM-DD``."""

    model_config = ConfigDict(from_attributes=True)

    national_id: str
    birth_date: str
    first_name: str
    last_name: str
    gender: str


class ContactData(BaseModel):
    """How the applicant can be reached; phones in E.164."""

    model_config = ConfigDict(from_attributes=True)

    mobile: str
    landline: str | None
    email: str | None


class AttachmentData(BaseModel):
    """A file of the request; its content is fetched over HTTP, never sent in an event. ``size`` is in bytes."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    name: str
    size: int
    media_type: str
    sha256: str


class RequestSubmitted(Event):
    """A new request, whole, for the experts of its province."""

    name: ClassVar[str] = "request-submitted"

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
