"""The clients of the captcha service, one for each kind of challenge that tracking requires."""

from dataclasses import dataclass
from typing import Self

import httpx

from desk.chassis.captcha import CaptchaClient
from desk.chassis.problem import ProofExpiredError, ProofWrongError
from desk.tracking.domain import (
    CaptchaExpiredError,
    CaptchaWrongError,
    MobileCodeExpiredError,
    MobileCodeWrongError,
)

LOOKUP, LIST, CONTACT = "track", "requests", "contact"
"""Purposes at captcha. A challenge of one of them is refused for the others."""


@dataclass(frozen=True, slots=True)
class Challenges:
    """Check the answers of applicants."""

    security_codes: CaptchaClient
    """The images and sounds of look-ups."""
    proofs: CaptchaClient
    """The proofs of work of look-ups and lists."""
    list_codes: CaptchaClient
    """The codes by SMS that open a list of requests."""
    contact_codes: CaptchaClient
    """The codes by SMS that make a mobile that of a request."""

    @classmethod
    def of(cls, http: httpx.AsyncClient, proofs: httpx.AsyncClient | None = None) -> Self:
        """Return the clients; ``http`` and ``proofs``, by default the same, have the base URL and a timeout."""
        return cls(
            security_codes=CaptchaClient(http, LOOKUP, wrong=CaptchaWrongError, expired=CaptchaExpiredError),
            proofs=CaptchaClient(proofs or http, LOOKUP, wrong=ProofWrongError, expired=ProofExpiredError),
            list_codes=_sms_codes(http, LIST),
            contact_codes=_sms_codes(http, CONTACT),
        )


def _sms_codes(http: httpx.AsyncClient, purpose: str) -> CaptchaClient:
    return CaptchaClient(http, purpose, wrong=MobileCodeWrongError, expired=MobileCodeExpiredError)
