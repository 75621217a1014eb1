"""The one service the registry gateway asks: captcha, for the proof of work before a look-up."""

import secrets

import httpx
import structlog

from desk.chassis.problem import ServiceUnavailableError
from desk.registry_gateway.domain import ProofExpiredError, ProofWrongError

log = structlog.get_logger(__name__)

PURPOSE = "identity"
SECONDS = 1.0
_REFUSALS = {"captcha_wrong": ProofWrongError, "captcha_expired": ProofExpiredError}


class CaptchaClient:
    """Has proofs of work checked, and used up, by the captcha service."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        """``http`` carries the base address and a time limit."""
        self._http = http

    async def demand(self, proof_id: str, solution: str) -> None:
        """Use a proof up; it is good for this one look-up and never again.

        Raises ProofWrongError, ProofExpiredError, or ServiceUnavailableError if nobody could say.
        """
        body = {"purpose": PURPOSE, "answer": solution, "claim": secrets.token_hex(16)}
        try:
            response = await self._http.post(f"/internal/captchas/{proof_id}/answers", json=body)
        except httpx.HTTPError as error:
            log.warning("captcha service away", error=type(error).__name__)
            raise ServiceUnavailableError("captcha") from error
        if response.is_success:
            return
        refusal = _REFUSALS.get(_code(response) or "")
        if refusal is not None:
            raise refusal
        log.warning("captcha service gave no verdict", status=response.status_code)
        raise ServiceUnavailableError("captcha")

    async def close(self) -> None:
        """Return the connections back."""
        await self._http.aclose()


def _code(response: httpx.Response) -> str | None:
    """Read a refusal's code; None for whatever is no refusal of the captcha service, such as a proxy's page."""
    if not response.is_client_error:
        return None
    try:
        problem = response.json()
    except ValueError:
        return None
    return problem.get("code") if isinstance(problem, dict) else None
