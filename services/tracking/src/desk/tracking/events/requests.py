"""What tracking hears of new requests, and what it tells the province one was referred to."""

from typing import ClassVar, Literal

from pydantic import Field

from desk.chassis.events import Event, Moment
from desk.tracking.domain import RejectionReason
from desk.tracking.events.parts import Applicant, Contact, FileReference, Named, PastStep, Titled, TrackingCode


class WholeRequest(Event):
    """A request with everything its experts need."""

    tracking_code: TrackingCode
    submitted_at: Moment
    due_at: Moment
    province: Named
    subject: Titled
    sub_subject: Titled
    applicant: Applicant
    contact: Contact
    text: str
    attachments: list[FileReference] = Field(default_factory=list)


class RequestSubmitted(WholeRequest):
    """Heard from intake: a new request.

    ``identity`` is ``unconfirmed`` where the civil registry cannot say who the applicant is: the names are typed.
    """

    name: ClassVar[str] = "request-submitted"

    identity: Literal["confirmed", "unconfirmed"] = "confirmed"


class RequestPending(WholeRequest):
    """Heard from intake: a new request that no province hears of before its applicant has been looked up."""

    name: ClassVar[str] = "request-pending"

    @property
    def unconfirmed(self) -> RequestSubmitted:
        """The same request as it stands while nobody vouches for its names."""
        return RequestSubmitted.model_validate(self.model_dump() | {"identity": "unconfirmed"})


class RequestIdentityRejected(Event):
    """Heard from intake: the civil registry does not vouch for the applicant of a pending request."""

    name: ClassVar[str] = "request-identity-rejected"

    tracking_code: TrackingCode
    at: Moment
    reason: RejectionReason


class RequestReferred(WholeRequest):
    """Announced to the province a request was referred to; ``identity`` as in ``request-submitted``."""

    name: ClassVar[str] = "request-referred"

    identity: Literal["confirmed", "unconfirmed"] = "confirmed"
    reason: str | None = None
    history: list[PastStep] = Field(default_factory=list)
    """What went before, so that nobody is asked a second time."""
