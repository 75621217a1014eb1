"""A client of the captcha service, for the services that require a solved challenge."""

import secrets

import httpx
import structlog

from desk.chassis.problem import DomainError, ServiceUnavailableError

log = structlog.get_logger(__name__)


class CaptchaClient:
    """Has answers to challenges checked by the captcha service."""

    def __init__(
        self, http: httpx.AsyncClient, purpose: str, *, wrong: type[DomainError], expired: type[DomainError]
    ) -> None:
        """``http`` has the base URL and a timeout; ``purpose`` is what the challenge was issued for.

        ``expired`` is raised for the refusal ``captcha_expired``, ``wrong`` for ``captcha_wrong`` and for
        ``captcha_early``, a proof of work before its delay has ended.
        """
        self._http = http
        self._purpose = purpose
        self._refusals = {"captcha_wrong": wrong, "captcha_early": wrong, "captcha_expired": expired}

    async def check_answer(
        self, challenge_id: str, answer: str, claim: str | None = None, *, mobile: str | None = None
    ) -> int:
        """Return the level of the challenge if the answer is right: that of a proof of work, 0 for other kinds.

        A right answer is used up by ``claim``, and is right again for the same claim only: a submission that is
        retried after a lost connection needs no new challenge. Without a claim the answer is right once.
        A code by SMS is only right for the ``mobile`` (E.164) that got it.
        Raises the two errors given to the constructor, or ServiceUnavailableError.
        """
        body = {"purpose": self._purpose, "answer": answer, "claim": claim or secrets.token_hex(16)}
        body |= {} if mobile is None else {"mobile": mobile}
        try:
            response = await self._http.post(f"/internal/captchas/{challenge_id}/answers", json=body)
        except httpx.HTTPError as error:
            log.warning("captcha service unreachable", error=type(error).__name__)
            raise ServiceUnavailableError("captcha") from error
        if response.is_success:
            return _level(response)
        refusal = self._refusals.get(_problem_code(response) or "")
        if refusal is not None:
            raise refusal
        log.warning("unexpected response of the captcha service", status=response.status_code)
        raise ServiceUnavailableError("captcha")


def _level(response: httpx.Response) -> int:
    """Return the level in the response; 0 for the empty one (204) of an older replica."""
    return int(response.json()["level"]) if response.content else 0


def _problem_code(response: httpx.Response) -> str | None:
    """Return the code of a problem; None for a response that is not one of the captcha service, such as a proxy's."""
    if not response.is_client_error:
        return None
    try:
        problem = response.json()
    except ValueError:
        return None
    return problem.get("code") if isinstance(problem, dict) else None
