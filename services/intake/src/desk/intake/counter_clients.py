"""Clients of registry-gateway and captcha, for requests that offices register."""

from typing import Literal, TypeVar

import httpx
import structlog
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from desk.chassis.moments import Moment
from desk.chassis.problem import DomainError, FieldError, RateLimitExceededError, ServiceUnavailableError
from desk.intake.domain import (
    CodesExhaustedError,
    Gender,
    IdentityDeceasedError,
    IdentityInputError,
    IdentityNotMatchedError,
    IdentityReferredError,
)

log = structlog.get_logger(__name__)

Answer = TypeVar("Answer", bound=BaseModel)
_REFUSALS: dict[str, type[DomainError]] = {
    each.code: each for each in (IdentityNotMatchedError, IdentityDeceasedError, IdentityReferredError)
}


class CounterIdentity(BaseModel):
    """What registry-gateway found: names if the registry has answered, and a token for the office."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    status: Literal["matched", "pending"]
    first_name: str | None = None
    last_name: str | None = None
    gender: Gender | None = None
    token: str
    expires_at: Moment


class SentCode(BaseModel):
    """A code that was sent by SMS."""

    model_config = ConfigDict(extra="ignore")

    id: str
    expires_at: Moment


class _WrongField(BaseModel):
    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    field: str
    code: str
    message: str


class _Problem(BaseModel):
    """The parts of a problem that are passed on."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    code: str = ""
    errors: list[_WrongField] = []


_PROBLEM = TypeAdapter(_Problem)


class CounterRegistry:
    """Looks persons up for offices through registry-gateway."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        """``http`` has the base URL and a timeout."""
        self._http = http

    async def identify(self, national_id: str, birth_date: str, office: str) -> CounterIdentity:
        """Look a person up; the look-up counts for the office.

        Raises IdentityInputError, IdentityNotMatchedError, IdentityDeceasedError, IdentityReferredError,
        RateLimitExceededError or ServiceUnavailableError.
        """
        body = {"national_id": national_id, "birth_date": birth_date, "office": office}
        response = await _post(self._http, "registry-gateway", "/internal/office-identities", body)
        problem = _problem(response)
        if refusal := _REFUSALS.get(problem.code):
            raise refusal
        if response.status_code == httpx.codes.TOO_MANY_REQUESTS:
            raise RateLimitExceededError("look-ups of the office", retry_after=_retry_after(response))
        if response.status_code == httpx.codes.UNPROCESSABLE_ENTITY:
            errors = [FieldError(each.field, each.code, each.message) for each in problem.errors]
            raise IdentityInputError(errors=errors)
        return _read(CounterIdentity, response, "registry-gateway")


class CodeSender:
    """Has the captcha service send codes by SMS."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        """``http`` has the base URL and a timeout."""
        self._http = http

    async def send(self, mobile: str, language: str) -> SentCode:
        """Send a code to a mobile (E.164). Raises CodesExhaustedError or ServiceUnavailableError."""
        body = {"mobile": mobile, "language": language}
        response = await _post(self._http, "captcha", "/internal/mobile-codes", body)
        if response.status_code == httpx.codes.TOO_MANY_REQUESTS:
            raise CodesExhaustedError("codes of a mobile", retry_after=_retry_after(response))
        return _read(SentCode, response, "captcha")


async def _post(http: httpx.AsyncClient, callee: str, path: str, body: dict[str, str]) -> httpx.Response:
    try:
        return await http.post(path, json=body)
    except httpx.HTTPError as error:
        log.warning("a service is unreachable", peer=callee, error=type(error).__name__)
        raise ServiceUnavailableError(callee) from error


def _read(kind: type[Answer], response: httpx.Response, callee: str) -> Answer:
    if not response.is_success:
        log.warning("unexpected response of a service", peer=callee, status=response.status_code)
        raise ServiceUnavailableError(callee)
    try:
        return kind.model_validate_json(response.content)
    except ValidationError:
        log.error("response of a service invalid", peer=callee)  # noqa: TRY400 - the response is personal
        raise ServiceUnavailableError(callee) from None


def _problem(response: httpx.Response) -> _Problem:
    if not response.is_client_error:
        return _Problem()
    try:
        return _PROBLEM.validate_json(response.content)
    except ValidationError:
        return _Problem()


def _retry_after(response: httpx.Response) -> int | None:
    seconds = response.headers.get("Retry-After", "")
    return int(seconds) if seconds.isdigit() else None
