"""The events that intake publishes and consumes."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from desk.chassis.events import Event
from desk.chassis.moments import Moment
from desk.intake.domain import Attachment, MobileOwner, Origin, Request, Source
from desk.iran.offices import office
from desk.iran.provinces import province


class Named(BaseModel):
    """A province or an office: its key and its Persian name."""

    key: str
    name: str


class Titled(BaseModel):
    """A subject or sub-subject: its key and its Persian title."""

    key: str
    title: str


class ApplicantData(BaseModel):
    """The applicant with the civil registry's names, or the typed ones while it has not answered.

    ``birth_date`` is Jalali ``YYYY-MM-DD``; ``national_id`` has ten digits, a foreign national's code twelve.
    """

    model_config = ConfigDict(from_attributes=True)

    national_id: str
    birth_date: str
    first_name: str
    last_name: str
    gender: str


class ContactData(BaseModel):
    """The applicant's contact data; phones in E.164. Notices are written in ``language``.

    ``mobile`` is empty if the applicant has none, which only a request of an office may have.
    """

    model_config = ConfigDict(from_attributes=True)

    mobile: str
    landline: str | None
    email: str | None
    language: Literal["fa", "en"] = "fa"


class FieldData(BaseModel):
    """A further field of the sub-subject, as the applicant filled it in.

    ``value`` is for programs: ASCII digits, a Jalali ``YYYY-MM-DD``, or the key of a choice. ``text`` is for people.
    """

    model_config = ConfigDict(from_attributes=True)

    key: str
    title: str
    kind: Literal["text", "number", "date", "choice", "iban", "receipt_number"]
    value: str
    text: str


class AttachmentData(BaseModel):
    """A file of the request; its content is downloaded over HTTP, never sent in an event. ``size`` is in bytes.

    ``document`` is the document of the catalogue that the file is, null for any other file.
    """

    model_config = ConfigDict(from_attributes=True)

    id: str
    name: str
    size: int
    media_type: str
    sha256: str
    document: Titled | None = None


class RepresentativeData(BaseModel):
    """A person who sent the request for the applicant; ``mobile`` is E.164."""

    model_config = ConfigDict(from_attributes=True)

    name: str
    national_id: str
    mobile: str


class RegistrationData(BaseModel):
    """The office that registered the request for the applicant, and its own reference of the expert.

    ``mobile_owner`` says whose the mobile of ``contact`` is: the applicant's (``own``), that of a person who helps
    (``helper``), or ``none`` if there is no mobile.
    """

    office: Named
    expert: str
    mobile_owner: MobileOwner


class ContentData(BaseModel):
    """The texts of the applicant, for the experts and for tracking. A text that is not named here stays in intake."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    text: Annotated[str, Field(examples=["روادید عمرهٔ من هنوز صادر نشده است. لطفاً راهنمایی کنید."])]


class RegisteredRequest(Event):
    """A request without its content."""

    tracking_code: str
    submitted_at: Moment
    due_at: Moment
    province: Named
    subject: Titled
    sub_subject: Titled
    applicant: ApplicantData
    contact: ContactData


class WholeRequest(ContentData, RegisteredRequest):
    """A request with all its data."""

    attachments: list[AttachmentData]
    office: Named
    """The office that handles it: that of ``province``, or headquarters."""
    fields: list[FieldData] = Field(default_factory=list)
    """The further fields that the catalogue has for the sub-subject, without the empty ones."""
    source: Source = "web"
    """``web`` for the public pages; ``counter`` or ``phone`` if an office registered it for the applicant."""
    representative: RepresentativeData | None = None
    """Who sent it for the applicant, if another person did."""
    registration: RegistrationData | None = None
    """Who registered it, for the sources ``counter`` and ``phone``."""


class RequestSubmitted(WholeRequest):
    """A new request with all its data, for the experts of its province.

    ``identity`` is ``unconfirmed`` if the civil registry cannot identify the applicant: the names are typed.
    """

    name: ClassVar[str] = "request-submitted"
    receivers: ClassVar[tuple[str, ...]] = ("tracking", "notifier", "{key}")

    identity: Literal["confirmed", "unconfirmed"]


class RequestPending(WholeRequest):
    """A new request that is not sent to a province yet: the civil registry has not identified the applicant."""

    name: ClassVar[str] = "request-pending"
    receivers: ClassVar[tuple[str, ...]] = ("tracking", "notifier")


class RequestIdentityRejected(Event):
    """The end of a pending request: the civil registry does not confirm the applicant."""

    name: ClassVar[str] = "request-identity-rejected"
    receivers: ClassVar[tuple[str, ...]] = ("tracking",)

    tracking_code: str
    at: Moment
    reason: Literal["not_matched", "deceased", "referred"]


class RequestProbed(Event):
    """A synthetic request of ``desk-probe``. No office and not notifier receives it, nor can they decrypt it."""

    name: ClassVar[str] = "request-probed"
    receivers: ClassVar[tuple[str, ...]] = ("tracking",)

    tracking_code: str
    submitted_at: Moment


class PendingWithdrawn(Event):
    """Consumed from tracking: the applicant has withdrawn a pending request."""

    name: ClassVar[str] = "request-pending-withdrawn"

    tracking_code: str


class ReplyFile(BaseModel):
    """A file of a reply."""

    model_config = ConfigDict(extra="ignore")

    id: str


class Replied(Event):
    """Consumed from tracking: the applicant has answered a question."""

    name: ClassVar[str] = "request-replied"

    tracking_code: str
    files: list[ReplyFile] = Field(default_factory=list)


class Erased(Event):
    """Consumed from tracking: the data of the request must be erased."""

    name: ClassVar[str] = "request-erased"

    tracking_code: str
    certificate_id: str


class ErasureDone(Event):
    """The data of a request is erased here; ``removed`` counts what, by kind."""

    name: ClassVar[str] = "request-erasure-done"
    receivers: ClassVar[tuple[str, ...]] = ("tracking",)

    tracking_code: str
    certificate_id: str
    at: Moment
    removed: dict[str, int]


class Referred(Event):
    """Consumed from tracking: the request was referred to another office."""

    name: ClassVar[str] = "request-referred"

    tracking_code: str
    province: Named
    office: Named | None = None


Identity = Literal["confirmed", "unconfirmed"]


def request_submitted(request: Request, attachments: Sequence[Attachment], identity: Identity) -> RequestSubmitted:
    """Build the event of a new request, or of a pending one that is released."""
    return RequestSubmitted.model_validate(_whole(request, attachments) | {"identity": identity})


def request_pending(request: Request, attachments: Sequence[Attachment]) -> RequestPending:
    """Build the event of a new request whose identity is pending."""
    return RequestPending.model_validate(_whole(request, attachments))


def _whole(request: Request, attachments: Sequence[Attachment]) -> dict[str, object]:
    return {
        "tracking_code": request.tracking_code,
        "submitted_at": request.submitted_at,
        "due_at": request.due_at,
        "province": Named(key=request.province, name=province(request.province).name),
        "subject": Titled(key=request.subject.key, title=request.subject.title),
        "sub_subject": Titled(key=request.sub_subject.key, title=request.sub_subject.title),
        "applicant": ApplicantData.model_validate(request.applicant),
        "contact": ContactData.model_validate(request.contact),
        **asdict(request.content),
        "attachments": [_attachment(request, each) for each in attachments],
        "office": _office(request.first_office),
        **_origin(request.origin),
    }


def _attachment(request: Request, attachment: Attachment) -> AttachmentData:
    document = request.content.documents.get(str(attachment.id))
    data = AttachmentData.model_validate(attachment)
    return data if document is None else data.model_copy(update={"document": Titled(**asdict(document))})


def _origin(origin: Origin) -> dict[str, object]:
    representative, registration = origin.representative, origin.registration
    return {
        "source": origin.source,
        "representative": RepresentativeData.model_validate(representative) if representative else None,
        "registration": RegistrationData(
            office=_office(registration.office), expert=registration.expert, mobile_owner=registration.mobile_owner
        )
        if registration
        else None,
    }


def _office(key: str) -> Named:
    return Named(key=key, name=office(key).name)
