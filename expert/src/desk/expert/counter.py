"""Requests that an expert registers for a person, at the counter or on the telephone."""

from dataclasses import dataclass
from typing import Literal, TypeVar

import httpx
from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from desk.expert.calls import SignedCalls
from desk.expert.errors import RegistrationRefusedError
from desk.expert.requests import FileReference, Named, Titled

AUDIENCE = "desk.counter"
UPLOAD_SECONDS = 60.0


class _Read(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)


class Identified(_Read):
    """A person of the civil registry; without names (``pending``) while it does not answer.

    ``token`` binds number, birth date and names, for this office, for half an hour.
    """

    status: Literal["matched", "pending"]
    first_name: str | None = None
    last_name: str | None = None
    gender: Literal["male", "female"] | None = None
    token: str
    expires_at: AwareDatetime


class SentCode(_Read):
    """A code that was sent by SMS; the person reads it out as consent."""

    id: str
    expires_at: AwareDatetime


class _Token(_Read):
    token: str


class CounterReceipt(_Read):
    """The receipt of a registered request. ``mobile_masked`` is empty without a mobile."""

    tracking_code: str
    state: Literal["registered", "identity_pending"]
    submitted_at: AwareDatetime
    due_at: AwareDatetime
    province: Named
    office: Named
    subject: Titled
    sub_subject: Titled
    national_id_masked: str
    mobile_masked: str
    text: str
    attachments: int
    source: str
    representative: str | None = None
    receipt: _Token


class Code(BaseModel):
    """The code that the person has read out, with the id of :class:`SentCode`."""

    id: str
    answer: str


class TypedNames(BaseModel):
    """Names as the expert read them in the person's documents, while the civil registry does not answer."""

    first_name: str
    last_name: str
    gender: Literal["male", "female"]


class RepresentativeForm(BaseModel):
    """The person who comes or calls for the applicant."""

    name: str
    national_id: str
    mobile: str


class LandlineForm(BaseModel):
    """A landline: a province's area code, such as ``021``, and the number behind it, in any digits."""

    area_code: str
    number: str


class CounterRequest(BaseModel):
    """A request to register. ``expert`` is the office's own reference of its expert, in ASCII, no name.

    ``mobile_owner`` says whose ``mobile`` is: the applicant's (``own``), that of a person who helps (``helper``), or
    ``none`` if ``mobile`` is empty. With a mobile the desk needs ``mobile_code``.
    """

    identity_token: str
    source: Literal["counter", "phone"]
    expert: str
    mobile_owner: Literal["own", "helper", "none"]
    mobile: str = ""
    mobile_code: Code | None = None
    province: str
    subject: str
    sub_subject: str
    text: str
    email: str | None = None
    landline: LandlineForm | None = None
    applicant: TypedNames | None = None
    representative: RepresentativeForm | None = None
    fields: dict[str, str] = {}
    """The further fields of the sub-subject, by their keys in the catalogue."""
    attachments: list[str] = []
    documents: dict[str, str] = {}
    """The attachment that is each document of the sub-subject, by its key in the catalogue."""
    again: bool = False
    """The person wants to send the same request once more within a day."""


Answer = TypeVar("Answer", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class _Reader:
    calls: SignedCalls

    def read(self, kind: type[Answer], answer: httpx.Response) -> Answer:
        try:
            return kind.model_validate_json(self.calls.require_success(answer).content)
        except ValidationError as error:
            text = f"{error.error_count()} fields differ from the contract"
            raise RegistrationRefusedError("unreadable", text) from error


class Counter:
    """A client of the desk's routes for registering requests. Every call raises RegistrationRefusedError."""

    def __init__(
        self, url: str, office: str, private_key: str, *, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        """``office`` is a province's key or ``headquarters``; ``private_key`` the PEM of its own Ed25519 key."""
        self._calls = SignedCalls(url, office, private_key, AUDIENCE, RegistrationRefusedError, transport=transport)
        self._reader = _Reader(self._calls)
        self._uploads = httpx.AsyncClient(base_url=url, timeout=UPLOAD_SECONDS, transport=transport)

    async def identify(self, national_id: str, birth_date: str, *, expert: str) -> Identified:
        """Look a person up; ``birth_date`` is Jalali ``YYYY-MM-DD``. The look-up is counted, and the person sees it."""
        body = {"national_id": national_id, "birth_date": birth_date, "expert": expert}
        return self._reader.read(Identified, await self._calls.send("POST", "/api/office/identities", json=body))

    async def send_code(self, mobile: str, language: Literal["fa", "en"] = "fa") -> SentCode:
        """Send a code to an Iranian mobile."""
        body = {"mobile": mobile, "language": language}
        return self._reader.read(SentCode, await self._calls.send("POST", "/api/office/mobile-codes", json=body))

    async def upload(self, identity_token: str, name: str, content: bytes) -> FileReference:
        """Upload a file of the person, whose id goes into ``attachments``."""
        headers = {"Authorization": f"Bearer {identity_token}"}
        try:
            answer = await self._uploads.post("/api/attachments", files={"file": (name, content)}, headers=headers)
        except httpx.TransportError as error:
            raise self._calls.unavailable(error) from error
        return self._reader.read(FileReference, answer)

    async def register(self, request: CounterRequest, key: str) -> CounterReceipt:
        """Register a request. ``key`` is a new random text; a repeat with the same one returns the same receipt."""
        body = request.model_dump(mode="json", exclude_none=True)
        answer = await self._calls.send("POST", "/api/office/requests", json=body, more={"Idempotency-Key": key})
        return self._reader.read(CounterReceipt, answer)

    async def close(self) -> None:
        """Close the connections."""
        await self._calls.close()
        await self._uploads.aclose()
