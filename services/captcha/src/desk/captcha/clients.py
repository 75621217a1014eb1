"""The client of notifier, which sends codes by SMS."""

from datetime import UTC, datetime
from typing import Literal

import httpx
import structlog

from desk.captcha.domain import CodeNotSentError

log = structlog.get_logger(__name__)

Language = Literal["fa", "en"]
TIMEOUT_SECONDS = 2.0


class NotifierClient:
    """Has codes sent by SMS."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        """``http`` has the base URL and a timeout."""
        self._http = http

    async def send_code(self, mobile: str, code: str, language: Language, expires_at: datetime) -> None:
        """Return once notifier has accepted the code; it is not sent after ``expires_at``. Raises CodeNotSentError."""
        moment = expires_at.astimezone(UTC).isoformat()
        body = {"mobile": mobile, "code": code, "language": language, "expires_at": moment}
        try:
            response = await self._http.post("/internal/codes", json=body)
        except httpx.HTTPError as error:
            log.warning("notifier unreachable", error=type(error).__name__)
            never_sent = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
            raise CodeNotSentError("notifier unreachable", ambiguous=not never_sent) from error
        if not response.is_success:
            log.warning("unexpected response of notifier", status=response.status_code)
            raise CodeNotSentError(f"notifier: {response.status_code}")
