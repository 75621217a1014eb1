"""The services tracking asks: captcha, intake for what it has not heard of yet, and registry-gateway."""

import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

import httpx
import structlog
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from desk.chassis.events import Moment
from desk.chassis.problem import ServiceUnavailableError
from desk.tracking.domain import (
    CaptchaExpiredError,
    CaptchaWrongError,
    RequestNotFoundError,
    State,
    UnknownFileError,
)
from desk.tracking.events import FileReference, Named, Titled

log = structlog.get_logger(__name__)

PURPOSE = "track"
AtIntake = Literal[State.REGISTERED, State.IDENTITY_PENDING, State.IDENTITY_REJECTED, State.WITHDRAWN]
"""Where a request may stand as far as intake knows: what provinces do is none of its business."""


class FreshRequest(BaseModel):
    """A request as intake tells of it."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    tracking_code: str
    submitted_at: Moment
    due_at: Moment
    province: Named
    subject: Titled
    sub_subject: Titled
    state: AtIntake = State.REGISTERED


class KnownCode(BaseModel):
    """A request intake has, by its code, and where it stands there; ``since`` when, if it was pending before."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    tracking_code: str
    state: AtIntake
    since: Moment | None = None


class KnownCodes(BaseModel):
    """A page of what intake has, in the order of the codes, and what of its events the broker has not confirmed."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    requests: list[KnownCode]
    unsent: int
    oldest_unsent_seconds: float
    files_unannounced: int = 0
    """Files set aside before the period's end for a reply that it has not heard of."""


class Lookup(BaseModel):
    """That the civil registry was asked about a person: when, and what for.

    To ``submit`` a request, to ``confirm`` one later, about a ``mobile``; registry-gateway may learn further purposes.
    """

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    at: Moment
    purpose: str


class _Lookups(BaseModel):
    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    lookups: list[Lookup]


_FILES = TypeAdapter(list[FileReference])


class _Problem(BaseModel):
    """The part of a peer's refusal that is read here."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    code: str


async def _post(http: httpx.AsyncClient, path: str, body: dict[str, Any], peer: str) -> httpx.Response:
    try:
        response = await http.post(path, json=body)
    except httpx.HTTPError as error:
        log.warning("service away", peer=peer, error=type(error).__name__)
        raise ServiceUnavailableError(peer) from error
    if response.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
        raise ServiceUnavailableError(peer)
    return response


def _not_understood(response: httpx.Response, peer: str) -> ServiceUnavailableError:
    """Report an answer that this service does not give: a wrong address, or a peer of another version."""
    log.error("answer not understood", peer=peer, status=response.status_code)
    return ServiceUnavailableError(peer)


def _problem_code(response: httpx.Response) -> str | None:
    try:
        return _Problem.model_validate_json(response.content).code
    except ValidationError:
        return None


class CaptchaClient:
    """Has security codes checked by the captcha service."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        """``http`` carries the base address and a time limit."""
        self._http = http

    async def demand(self, captcha_id: str, answer: str) -> None:
        """Return if the answer is right. Raises CaptchaWrongError, CaptchaExpiredError, ServiceUnavailableError."""
        body = {"purpose": PURPOSE, "answer": answer, "claim": secrets.token_hex(16)}
        response = await _post(self._http, f"/internal/captchas/{captcha_id}/answers", body, "captcha")
        if response.is_success:
            return
        code = _problem_code(response)
        for refusal in (CaptchaWrongError, CaptchaExpiredError):
            if code == refusal.code:
                raise refusal
        raise _not_understood(response, "captcha")


class IntakeClient:
    """Asks intake."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        """``http`` carries the base address and a time limit."""
        self._http = http

    async def find(self, national_id: str, tracking_code: str) -> FreshRequest | None:
        """Find a person's request by its code. Raises ServiceUnavailableError."""
        body = {"national_id": national_id, "tracking_code": tracking_code}
        response = await _post(self._http, "/internal/requests/find", body, "intake")
        if _problem_code(response) == RequestNotFoundError.code:
            return None
        try:
            return FreshRequest.model_validate_json(response.content)
        except ValidationError:
            raise _not_understood(response, "intake") from None

    async def codes(self, since: datetime, until: datetime, after: str, limit: int) -> KnownCodes:
        """List what intake has of a period, from the code after ``after``. Raises ServiceUnavailableError."""
        body = {"since": since.isoformat(), "until": until.isoformat(), "after": after, "limit": limit}
        response = await _post(self._http, "/internal/requests/codes", body, "intake")
        try:
            return KnownCodes.model_validate_json(response.content)
        except ValidationError:
            raise _not_understood(response, "intake") from None

    async def set_aside(self, tracking_code: str, reply: str, files: Sequence[str]) -> list[FileReference]:
        """Set files aside for a reply, which the same reply may ask for again.

        Raises UnknownFileError or ServiceUnavailableError.
        """
        body = {"tracking_code": tracking_code, "reply": reply, "files": list(files)}
        response = await _post(self._http, "/internal/requests/files", body, "intake")
        if _problem_code(response) in {UnknownFileError.code, RequestNotFoundError.code}:
            raise UnknownFileError
        try:
            return _FILES.validate_json(response.content)
        except ValidationError:
            raise _not_understood(response, "intake") from None


class RegistryClient:
    """Asks registry-gateway."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        """``http`` carries the base address and a time limit."""
        self._http = http

    async def lookups(self, national_id: str) -> list[Lookup]:
        """List when the civil registry was asked about a person, newest first. Raises ServiceUnavailableError."""
        response = await _post(self._http, "/internal/lookups", {"national_id": national_id}, "registry-gateway")
        try:
            return _Lookups.model_validate_json(response.content).lookups
        except ValidationError:
            raise _not_understood(response, "registry-gateway") from None
