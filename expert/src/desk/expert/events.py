"""The desk's events as a province reads them: what it needs, ignoring whatever else there is."""

from dataclasses import dataclass
from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

TYPE_PREFIX, TYPE_SUFFIX = "ir.haj.desk.", ".v1"
WITH_REQUEST = frozenset({"request-submitted", "request-referred"})
REFUSED, REPLIED = "case-refused", "request-replied"
HEARD = WITH_REQUEST | {
    REFUSED,
    REPLIED,
    "request-objected",
    "request-withdrawn",
    "request-rated",
    "request-overdue",
}


class _Read(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)


class Named(_Read):
    """A province: its key and its Persian name."""

    key: str
    name: str


class Titled(_Read):
    """A subject or sub-subject: its key and its Persian title."""

    key: str
    title: str


class Applicant(_Read):
    """Whose request it is; ``birth_date`` is Jalali ``YYYY-MM-DD``."""

    national_id: str
    birth_date: str
    first_name: str
    last_name: str
    gender: str


class Contact(_Read):
    """How the applicant can be reached; phones in E.164."""

    mobile: str
    landline: str | None = None
    email: str | None = None


class FileReference(_Read):
    """A file, fetched over HTTP by its id; ``size`` in bytes, ``sha256`` in hex."""

    id: str
    name: str
    size: int
    media_type: str
    sha256: str


class Answer(_Read):
    """An answer that was given before."""

    text: str
    at: AwareDatetime
    files: list[FileReference] = Field(default_factory=list)


class PastStep(_Read):
    """What happened to a request before it was referred; ``action`` is what the applicant did, if it was that."""

    at: AwareDatetime
    state: str
    title: str
    note: str | None = None
    action: str | None = None
    answer: Answer | None = None
    files: list[FileReference] = Field(default_factory=list)


class Request(_Read):
    """A request, whole. ``identity`` is ``unconfirmed`` where the civil registry cannot say who the applicant is."""

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
    """Why it was referred, if it was."""
    history: list[PastStep] = Field(default_factory=list)
    """What went before, if it was."""


class Reply(_Read):
    """The applicant's answer to a question."""

    tracking_code: str
    text: str
    files: list[FileReference] = Field(default_factory=list)


class Refusal(_Read):
    """A report of the province that the desk did not apply, and why."""

    tracking_code: str
    report: str
    report_id: str
    reason: str
    explanation: str = ""


class Envelope(_Read):
    """CloudEvents 1.0 in structured JSON."""

    specversion: Literal["1.0"]
    id: str
    type: str
    subject: str
    seq: int
    data: dict[str, Any]

    @property
    def name(self) -> str:
        """The event's name without prefix and version; the whole type if it is of another version."""
        if self.type.startswith(TYPE_PREFIX) and self.type.endswith(TYPE_SUFFIX):
            return self.type.removeprefix(TYPE_PREFIX).removesuffix(TYPE_SUFFIX)
        return self.type


@dataclass(frozen=True, slots=True)
class Told:
    """What the desk told a province. ``seq`` numbers what it told of this request: the higher, the later."""

    id: str
    kind: str
    tracking_code: str
    seq: int
    data: dict[str, Any]
    request: Request | None
    refusal: Refusal | None
    reply: Reply | None = None


def read(body: bytes) -> Told:
    """Read an event as it stands in the queue. Raises pydantic's ValidationError."""
    envelope = Envelope.model_validate_json(body)
    kind = envelope.name
    return Told(
        envelope.id,
        kind,
        envelope.subject,
        envelope.seq,
        envelope.data,
        Request.model_validate(envelope.data) if kind in WITH_REQUEST else None,
        Refusal.model_validate(envelope.data) if kind == REFUSED else None,
        Reply.model_validate(envelope.data) if kind == REPLIED else None,
    )
