"""The client of notifier, which sends codes by SMS."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

import httpx
import structlog

from desk.captcha.domain import CodeNotSentError, Purpose

log = structlog.get_logger(__name__)

Language = Literal["fa", "en"]
TIMEOUT_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class CodeToSend:
    """A mobile (E.164) that gets a code, and the purpose, which the text of the SMS names."""

    mobile: str
    language: Language
    purpose: Purpose


class NotifierClient:
    """Has codes sent by SMS."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        """``http`` has the base URL and a timeout."""
        self._http = http

    async def send_code(self, to: CodeToSend, code: str, expires_at: datetime) -> None:
        """Return once notifier has accepted the code; it is not sent after ``expires_at``. Raises CodeNotSentError."""
        moment = expires_at.astimezone(UTC).isoformat()
        body = {"mobile": to.mobile, "code": code, "language": to.language, "expires_at": moment, "purpose": to.purpose}
        try:
            response = await self._http.post("/internal/codes", json=body)
        except httpx.HTTPError as error:
            log.warning("notifier unreachable", error=type(error).__name__)
            never_sent = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
            raise CodeNotSentError("notifier unreachable", ambiguous=not never_sent) from error
        if not response.is_success:
            log.warning("unexpected response of notifier", status=response.status_code)
            raise CodeNotSentError(f"notifier: {response.status_code}")
