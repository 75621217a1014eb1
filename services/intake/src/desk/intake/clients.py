"""Clients of other services: captcha, and registry-gateway for later look-ups."""

from typing import Literal, Self

import httpx
import structlog
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from desk.chassis.captcha import CaptchaClient
from desk.chassis.moments import Moment
from desk.intake.domain import (
    CaptchaExpiredError,
    CaptchaWrongError,
    MobileCodeExpiredError,
    MobileCodeWrongError,
    Outcome,
    Person,
    Verdict,
)

log = structlog.get_logger(__name__)

_UNSUPPORTED = "foreign"
"""The reason in registry-gateway's response if the civil registry never answers for this kind of number."""


def captcha_client(http: httpx.AsyncClient) -> CaptchaClient:
    """Return a client for the security codes of submissions; ``http`` has the base URL and a timeout."""
    return CaptchaClient(http, "submit", wrong=CaptchaWrongError, expired=CaptchaExpiredError)


def code_client(http: httpx.AsyncClient) -> CaptchaClient:
    """Return a client for codes by SMS; ``http`` is as for :func:`captcha_client`."""
    return CaptchaClient(http, "mobile", wrong=MobileCodeWrongError, expired=MobileCodeExpiredError)


class _Answer(BaseModel):
    """The response of registry-gateway to a number and a birth date."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    outcome: Outcome
    first_name: str | None = None
    last_name: str | None = None
    gender: Literal["male", "female"] | None = None
    reason: str | None = None
    """Why the registry is unavailable."""
    available_at: Moment | None = None

    @model_validator(mode="after")
    def _require_names_of_a_match(self) -> Self:
        if self.outcome is Outcome.MATCHED and self.person is None:
            raise ValueError("a match without names")
        return self

    @property
    def person(self) -> Person | None:
        if not self.first_name or not self.last_name or self.gender is None:
            return None
        return Person(self.first_name, self.last_name, self.gender)


class _MobileOwner(BaseModel):
    """The response of registry-gateway to a national ID and a mobile."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    outcome: str


class RegistryClient:
    """Looks people up in the civil registry through registry-gateway."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        """``http`` has the base URL and a timeout."""
        self._http = http

    async def look_up(self, national_id: str, birth_date: str) -> Verdict:
        """Look a person up. A failed or ambiguous response counts as an unavailable registry, so that it is retried."""
        body = {"national_id": national_id, "birth_date": birth_date}
        try:
            response = await self._http.post("/internal/identities", json=body)
        except httpx.HTTPError as error:
            log.warning("registry-gateway unreachable", error=type(error).__name__)
            return Verdict(Outcome.UNAVAILABLE)
        if not response.is_success:
            log.warning("registry-gateway returned an error", status=response.status_code)
            return Verdict(Outcome.UNAVAILABLE)
        try:
            answer = _Answer.model_validate_json(response.content)
        except ValidationError:
            log.error("registry-gateway response invalid", status=response.status_code)  # noqa: TRY400 - the response is personal
            return Verdict(Outcome.UNAVAILABLE)
        if answer.outcome is Outcome.UNAVAILABLE and answer.reason == _UNSUPPORTED:
            return Verdict(Outcome.UNSUPPORTED)
        person = answer.person if answer.outcome is Outcome.MATCHED else None
        return Verdict(answer.outcome, person, answer.available_at)

    async def has_other_owner(self, national_id: str, mobile: str) -> bool:
        """Return whether a mobile surely belongs to another person; False if the register does not say."""
        body = {"national_id": national_id, "mobile": mobile}
        try:
            response = await self._http.post("/internal/mobiles", json=body)
            response.raise_for_status()
            owner = _MobileOwner.model_validate_json(response.content)
        except (httpx.HTTPError, ValidationError) as error:
            log.warning("owner of the mobile is unknown", error=type(error).__name__)
            return False
        return owner.outcome == "mismatch"
