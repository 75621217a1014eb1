"""The data models that several events contain."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from desk.chassis.events import Event
from desk.chassis.moments import Moment
from desk.tracking.domain import Action, State

TrackingCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{12}$")]
CertificateId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f-]{36}$")]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=8000)]


class Named(BaseModel):
    """A province or an office: its key and its Persian name."""

    model_config = ConfigDict(from_attributes=True, use_attribute_docstrings=True)

    key: str
    name: str


class Titled(BaseModel):
    """A subject or sub-subject: its key and its Persian title."""

    model_config = ConfigDict(from_attributes=True, use_attribute_docstrings=True)

    key: str
    title: str


class ApplicantName(BaseModel):
    """The applicant's name and gender, for the salutation of a message."""

    model_config = ConfigDict(extra="ignore", from_attributes=True, use_attribute_docstrings=True)

    first_name: str
    last_name: str
    gender: str


class Applicant(ApplicantName):
    """The applicant as the civil registry knows them; ``birth_date`` is Jalali ``YYYY-MM-DD``."""

    national_id: str
    """10 digits, or 12 of a foreign national."""
    birth_date: str
    """In the Iranian (Jalali) calendar, ``YYYY-MM-DD``, such as ``1361-12-05``."""


class Contact(BaseModel):
    """How the applicant can be reached, and in which language; phones in E.164."""

    model_config = ConfigDict(extra="ignore", from_attributes=True, use_attribute_docstrings=True)

    mobile: str
    """E.164, such as ``+989120000000``; empty if the applicant has none."""
    landline: str | None = None
    email: str | None = None
    language: str = "fa"


class Representative(BaseModel):
    """A person who sent the request for the applicant."""

    model_config = ConfigDict(extra="ignore", from_attributes=True, use_attribute_docstrings=True)

    name: str
    national_id: str
    """10 digits, or 12 of a foreign national."""
    mobile: str
    """E.164."""


class Registration(BaseModel):
    """The office that registered the request for the applicant, at its counter or on the telephone."""

    model_config = ConfigDict(extra="ignore", from_attributes=True, use_attribute_docstrings=True)

    office: Named
    expert: str
    """The office's own reference of its expert."""
    mobile_owner: str
    """Whose mobile the contact has: ``own``, that of a person who helps (``helper``), or ``none`` without a mobile."""


class FileReference(BaseModel):
    """A file, fetched over HTTP by its id; ``size`` is in bytes."""

    model_config = ConfigDict(from_attributes=True, use_attribute_docstrings=True)

    id: str
    name: str
    size: int
    """In bytes."""
    media_type: str
    sha256: str
    """Of the content, in lower-case hex."""
    document: Titled | None = None
    """The document of the catalogue that a file of a request is; null for all other files."""


class FieldData(BaseModel):
    """A further field that the catalogue has for the sub-subject, as the applicant filled it in."""

    model_config = ConfigDict(extra="ignore", from_attributes=True, use_attribute_docstrings=True)

    key: str
    title: str
    kind: str
    """``text``, ``number``, ``date``, ``choice``, ``iban`` or ``receipt_number``; more kinds may come."""
    value: str
    """For programs: ASCII digits, a Jalali ``YYYY-MM-DD``, or the key of a choice."""
    text: str
    """For people."""


class AnswerData(BaseModel):
    """The experts' answer."""

    model_config = ConfigDict(from_attributes=True, use_attribute_docstrings=True)

    text: str
    at: Moment
    files: list[FileReference] = Field(default_factory=list)


class HistoryEntry(BaseModel):
    """One entry of a request's history; ``action`` is the applicant's action, if the entry records one."""

    model_config = ConfigDict(from_attributes=True, use_attribute_docstrings=True)

    at: Moment
    state: State
    title: str
    note: str | None
    action: Action | None
    answer: AnswerData | None
    files: list[FileReference]
    """The files that the applicant sent."""


class Content(BaseModel):
    """The texts of the applicant. Its offices read all of them, and the applicant in the tracking page."""

    model_config = ConfigDict(extra="ignore", from_attributes=True, use_attribute_docstrings=True)

    text: str


class RegisteredRequest(Event):
    """A request without its content."""

    tracking_code: TrackingCode
    submitted_at: Moment
    due_at: Moment
    province: Named
    subject: Titled
    sub_subject: Titled
    applicant: Applicant
    contact: Contact


class WholeRequest(Content, RegisteredRequest):
    """Base of the events that contain a request with everything its experts need."""

    attachments: list[FileReference] = Field(default_factory=list)
    office: Named | None = None
    """The office that handles it: that of ``province``, or headquarters. Events of older desks lack it."""
    fields: list[FieldData] = Field(default_factory=list)
    """The further fields of the sub-subject, without the empty ones. Events of older desks lack them."""
    source: str = "web"
    """``web`` for the public pages; ``counter`` or ``phone`` if an office registered it for the applicant."""
    representative: Representative | None = None
    """Who sent it for the applicant, if another person did."""
    registration: Registration | None = None
    """Who registered it, for the sources ``counter`` and ``phone``."""
