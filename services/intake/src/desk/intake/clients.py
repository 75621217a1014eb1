"""The one service intake asks: captcha."""

import httpx
import structlog

from desk.chassis.problem import ServiceUnavailableError
from desk.intake.domain import CaptchaExpiredError, CaptchaWrongError

log = structlog.get_logger(__name__)

PURPOSE = "submit"


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
