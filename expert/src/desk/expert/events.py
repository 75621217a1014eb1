"""The desk's events as an office reads them: the fields that it needs; unknown fields are ignored."""

from dataclasses import dataclass
from typing import Any, Literal

from pydantic import AwareDatetime, Field, ValidationError

from desk.expert.encryption import JSON_OBJECT, PrivateKeys
from desk.expert.errors import DecryptionError
from desk.expert.requests import Contact, FileReference, Named, Read, Request, Titled

TYPE_PREFIX, TYPE_SUFFIX = "ir.haj.desk.", ".v1"
WITH_REQUEST = frozenset({"request-submitted", "request-referred"})
REFUSED, REPLIED, OBJECTED = "case-refused", "request-replied", "request-objected"
TAKEN_OVER, COMMENTED, ERASED = "request-taken-over", "request-commented", "request-erased"
NOTICE_FAILED, UNANSWERED = "request-notice-failed", "request-unanswered"
CONTACT_CHANGED = "request-contact-changed"
ESCALATED, SILENT = "request-escalated", "province-silent"
"""For headquarters only."""
APPLICANT_ACTIONS = frozenset({REPLIED, OBJECTED, "request-withdrawn", "request-rated"})
"""What applicants do with their requests."""
CONSUMED = (
    WITH_REQUEST
    | APPLICANT_ACTIONS
    | {
        REFUSED,
        TAKEN_OVER,
        COMMENTED,
        NOTICE_FAILED,
        UNANSWERED,
        CONTACT_CHANGED,
        ERASED,
        ESCALATED,
        SILENT,
        "request-overdue",
    }
)


class Reply(Read):
    """The applicant's answer to a question."""

    tracking_code: str
    text: str
    files: list[FileReference] = Field(default_factory=list)


class Objection(Read):
    """The applicant's objection to an answer. Only a supervisor who did not give that answer may decide it."""

    tracking_code: str
    text: str
    for_role: str = "supervisor"
    answer_report_id: str | None = None
    """The id of the office's report (``case-answered`` or ``case-rejected``) to which the applicant objects."""

    @property
    def for_supervisor(self) -> bool:
        """Whether a supervisor has to decide it."""
        return self.for_role == "supervisor"


class TakeOver(Read):
    """Another office has the case now: headquarters took it over, or decides the second objection."""

    tracking_code: str
    office: Named
    reason: str | None = None


class Comment(Read):
    """A comment of headquarters to the office of a case. Do not show it to the applicant."""

    tracking_code: str
    at: AwareDatetime
    office: Named
    text: str


class NoticeFailure(Read):
    """A notice that did not reach the applicant. All three are stable codes, to which others may be added."""

    tracking_code: str
    at: AwareDatetime
    notice: str
    channel: str
    reason: str


class ContactChange(Read):
    """The applicant has another mobile, the applicant's own, which a code has proven."""

    tracking_code: str
    at: AwareDatetime
    contact: Contact
    """All contact data from now on."""
    previous_mobile: str = ""


class Unanswered(Read):
    """The applicant has not answered the question. A reply until ``reply_until`` opens the case again."""

    tracking_code: str
    at: AwareDatetime
    reply_until: AwareDatetime


class Stay(Read):
    """How long an office had a case; ``until`` is None for the present office."""

    office: Named
    since: AwareDatetime
    until: AwareDatetime | None = None


class Escalation(Read):
    """To headquarters: an office has not answered for a second period."""

    tracking_code: str
    at: AwareDatetime
    due_at: AwareDatetime
    state: str
    province: Named
    subject: Titled
    sub_subject: Titled
    office_due_at: AwareDatetime | None = None
    """When the present office had to answer, if it got the case after ``due_at``."""
    trail: list[Stay] = Field(default_factory=list)
    """The offices that have had the case, the present one last."""


class Silence(Read):
    """To headquarters: an office acknowledges no requests while some wait for it."""

    province: Named
    at: AwareDatetime
    waiting: int
    oldest_since: AwareDatetime


class Erasure(Read):
    """The office must erase all it stores of the case, and acknowledge. ``reason`` is a stable code."""

    tracking_code: str
    certificate_id: str
    """The number of the erasure, which the acknowledgement names."""
    reason: str
    at: AwareDatetime


class Refusal(Read):
    """A report of the office that the desk did not apply, and the reason.

    ``reason`` is one of the contract's codes. ``field`` and ``rule`` say what breaks the contract; ``expected_seq`` is
    the number that the office's next report on the case needs.
    """

    tracking_code: str
    report: str
    report_id: str
    reason: str
    explanation: str = ""
    field: str | None = None
    rule: str | None = None
    expected_seq: int | None = None


class Envelope(Read):
    """CloudEvents 1.0 in structured JSON; ``data`` is encrypted."""

    specversion: Literal["1.0"]
    id: str
    type: str
    subject: str
    seq: int
    data: dict[str, Any]

    @property
    def name(self) -> str:
        """The event's name without prefix and version; the whole type for other versions."""
        if self.type.startswith(TYPE_PREFIX) and self.type.endswith(TYPE_SUFFIX):
            return self.type.removeprefix(TYPE_PREFIX).removesuffix(TYPE_SUFFIX)
        return self.type


@dataclass(frozen=True, slots=True)
class CaseEvent:
    """An event of the desk about a case. ``seq`` numbers the events of a request: the highest is the latest.

    Of the last fields, the one of this kind of event is set. ``province-silent`` is about no case: ``tracking_code`` is
    then the key of the province.
    """

    id: str
    kind: str
    tracking_code: str
    seq: int
    data: dict[str, Any]
    request: Request | None
    refusal: Refusal | None
    reply: Reply | None = None
    objection: Objection | None = None
    erasure: Erasure | None = None
    takeover: TakeOver | None = None
    comment: Comment | None = None
    escalation: Escalation | None = None
    silence: Silence | None = None
    notice_failure: NoticeFailure | None = None
    unanswered: Unanswered | None = None
    contact_change: ContactChange | None = None


def read(body: bytes, keys: PrivateKeys) -> CaseEvent:
    """Read the body of a message; the data of an unknown kind of event stays encrypted and is left out.

    Raises pydantic's ValidationError or DecryptionError.
    """
    envelope = Envelope.model_validate_json(body)
    kind = envelope.name
    data = _decrypted(envelope, keys) if kind in CONSUMED else {}
    return CaseEvent(
        envelope.id,
        kind,
        envelope.subject,
        envelope.seq,
        data,
        Request.model_validate(data) if kind in WITH_REQUEST else None,
        Refusal.model_validate(data) if kind == REFUSED else None,
        Reply.model_validate(data) if kind == REPLIED else None,
        Objection.model_validate(data) if kind == OBJECTED else None,
        Erasure.model_validate(data) if kind == ERASED else None,
        TakeOver.model_validate(data) if kind == TAKEN_OVER else None,
        Comment.model_validate(data) if kind == COMMENTED else None,
        Escalation.model_validate(data) if kind == ESCALATED else None,
        Silence.model_validate(data) if kind == SILENT else None,
        NoticeFailure.model_validate(data) if kind == NOTICE_FAILED else None,
        Unanswered.model_validate(data) if kind == UNANSWERED else None,
        ContactChange.model_validate(data) if kind == CONTACT_CHANGED else None,
    )


def _decrypted(envelope: Envelope, keys: PrivateKeys) -> dict[str, Any]:
    plain = keys.decrypt(envelope.data, envelope.id)
    try:
        return JSON_OBJECT.validate_json(plain)
    except ValidationError:
        raise DecryptionError("the decrypted data is no JSON object") from None
