"""A request as an office reads it: the fields that it needs; unknown fields are ignored."""

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field


class Read(BaseModel):
    """Base of what is read from an event."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)


class Named(Read):
    """A province or an office: its key and its Persian name."""

    key: str
    name: str


class Titled(Read):
    """A subject or sub-subject: its key and its Persian title."""

    key: str
    title: str


class Applicant(Read):
    """The applicant; ``birth_date`` is Jalali ``YYYY-MM-DD``."""

    national_id: str
    birth_date: str
    first_name: str
    last_name: str
    gender: str


class Contact(Read):
    """The applicant's contacts; phones in E.164. ``mobile`` is empty if there is none."""

    mobile: str
    landline: str | None = None
    email: str | None = None


class Representative(Read):
    """A person who sent the request for the applicant; ``mobile`` is E.164."""

    name: str
    national_id: str
    mobile: str


class Registration(Read):
    """The office that registered the request for the applicant, and its own reference of the expert.

    ``mobile_owner`` says whose the mobile of the contact is: ``own``, ``helper`` or ``none``.
    """

    office: Named
    expert: str
    mobile_owner: str


class FileReference(Read):
    """A file, downloaded over HTTP by its id; ``size`` in bytes, ``sha256`` in hex."""

    id: str
    name: str
    size: int
    media_type: str
    sha256: str
    document: Titled | None = None
    """The document of the catalogue that a file of a request is, if it is one."""


class FieldData(Read):
    """A further field of a request: ``value`` is for programs, ``text`` for people.

    ``kind`` is ``text``, ``number``, ``date``, ``choice``, ``iban`` or ``receipt_number``; more kinds may come.
    """

    key: str
    title: str
    kind: str
    value: str
    text: str


class Answer(Read):
    """An earlier answer."""

    text: str
    at: AwareDatetime
    files: list[FileReference] = Field(default_factory=list)


class PastEntry(Read):
    """An entry of the history before a referral; ``action`` names the applicant's action, None for other entries."""

    at: AwareDatetime
    state: str
    title: str
    note: str | None = None
    action: str | None = None
    answer: Answer | None = None
    files: list[FileReference] = Field(default_factory=list)


class Request(Read):
    """A request. ``identity`` is ``unconfirmed`` if the civil registry could not confirm the applicant."""

    tracking_code: str
    submitted_at: AwareDatetime
    due_at: AwareDatetime
    province: Named
    subject: Titled
    sub_subject: Titled
    applicant: Applicant
    contact: Contact
    text: str
    attachments: list[FileReference] = Field(default_factory=list)
    identity: str = "confirmed"
    reason: str | None = None
    """The reason of a referral."""
    history: list[PastEntry] = Field(default_factory=list)
    """The history before a referral."""
    fields: list[FieldData] = Field(default_factory=list)
    office: Named | None = None
    """The office that handles it: that of the province, or headquarters."""
    office_due_at: AwareDatetime | None = None
    """When this office has to answer, if it got the case after the day promised to the applicant, ``due_at``."""
    source: str = "web"
    """``web``, or ``counter`` or ``phone`` if an office registered it for the applicant."""
    representative: Representative | None = None
    """Who sent it for the applicant, if another person did."""
    registration: Registration | None = None
    """Who registered it, for the sources ``counter`` and ``phone``."""
