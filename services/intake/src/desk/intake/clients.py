"""The services intake asks: captcha, and later on registry-gateway."""

from typing import Literal, Self

import httpx
import structlog
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from desk.chassis.events import Moment
from desk.chassis.problem import ServiceUnavailableError
from desk.intake.domain import CaptchaExpiredError, CaptchaWrongError, Outcome, Person, Verdict

log = structlog.get_logger(__name__)

PURPOSE = "submit"
NOT_OF_THIS_KIND = "foreign"
"""registry-gateway's reason where the civil registry never answers for a number of this kind."""


class CaptchaClient:
    """Has security codes checked by the captcha service."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        """``http`` carries the base address and a time limit."""
        self._http = http

    async def demand(self, captcha_id: str, answer: str, claim: str) -> None:
        """Return if the answer is right.

        A right answer is spent on ``claim``, and holds again for the same claim: a submission that is retried after
        a lost connection needs no new code. Raises CaptchaWrongError, CaptchaExpiredError or ServiceUnavailableError.
        """
        try:
            response = await self._http.post(
                f"/internal/captchas/{captcha_id}/answers",
                json={"purpose": PURPOSE, "answer": answer, "claim": claim},
            )
        except httpx.HTTPError as error:
            log.warning("captcha service away", error=type(error).__name__)
            raise ServiceUnavailableError("captcha") from error
        if response.is_success:
            return
        code = _code(response)
        if code == CaptchaWrongError.code:
            raise CaptchaWrongError
        if code == CaptchaExpiredError.code:
            raise CaptchaExpiredError
        log.warning("captcha service gave no verdict", status=response.status_code)
        raise ServiceUnavailableError("captcha")


def _code(response: httpx.Response) -> str | None:
    """Read a refusal's code; None for whatever is no refusal of the captcha service, such as a proxy's page."""
    if not response.is_client_error:
        return None
    try:
        problem = response.json()
    except ValueError:
        return None
    return problem.get("code") if isinstance(problem, dict) else None


class _Answer(BaseModel):
    """What registry-gateway says to a number and a birth date."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    outcome: Outcome
    first_name: str | None = None
    last_name: str | None = None
    gender: Literal["male", "female"] | None = None
    reason: str | None = None
    """Why it is unavailable."""
    available_at: Moment | None = None

    @model_validator(mode="after")
    def _a_match_has_a_name(self) -> Self:
        if self.outcome is Outcome.MATCHED and self.person is None:
            raise ValueError("a match without names")
        return self

    @property
    def person(self) -> Person | None:
        if not self.first_name or not self.last_name or self.gender is None:
            return None
        return Person(self.first_name, self.last_name, self.gender)


class RegistryClient:
    """Has the civil registry asked by registry-gateway."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        """``http`` carries the base address and a time limit."""
        self._http = http

    async def look_up(self, national_id: str, birth_date: str) -> Verdict:
        """Look a person up; whatever is no clear answer counts as an unavailable registry, to be asked again."""
        body = {"national_id": national_id, "birth_date": birth_date}
        try:
            response = await self._http.post("/internal/identities", json=body)
        except httpx.HTTPError as error:
            log.warning("registry-gateway away", error=type(error).__name__)
            return Verdict(Outcome.UNAVAILABLE)
        if not response.is_success:
            log.warning("registry-gateway gave no answer", status=response.status_code)
            return Verdict(Outcome.UNAVAILABLE)
        try:
            answer = _Answer.model_validate_json(response.content)
        except ValidationError:
            log.error("registry-gateway not understood", status=response.status_code)  # noqa: TRY400 - the answer is personal
            return Verdict(Outcome.UNAVAILABLE)
        if answer.outcome is Outcome.UNAVAILABLE and answer.reason == NOT_OF_THIS_KIND:
            return Verdict(Outcome.UNSUPPORTED)
        person = answer.person if answer.outcome is Outcome.MATCHED else None
        return Verdict(answer.outcome, person, answer.available_at)
