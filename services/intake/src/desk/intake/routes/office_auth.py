"""Authentication of provinces: short-lived assertions signed with their own keys, verified offline."""

import base64
import binascii
import json
from collections.abc import Mapping

from desk.chassis.crypto import TokenError, TokenExpiredError, TokenReader
from desk.chassis.problem import DomainError, RateLimitExceededError
from desk.chassis.rate_limits import RateLimits

AUDIENCE = "desk.files"
LONGEST_SECONDS = 120
_ONCE = "1/5 minutes"
"""Longer than an assertion is valid, so that each one can be used once."""
_ID_MAX = 64


class AssertionMissingError(DomainError):
    """The request has no assertion."""

    status, code = 401, "assertion_missing"
    title = "برای این نشانی، گواهی امضاشدهٔ استان لازم است؛ آن را در سرآیند Authorization بفرستید."


class AssertionInvalidError(DomainError):
    """The assertion is forged or expired, has an unknown issuer or another audience, or is valid for too long."""

    status, code = 401, "assertion_invalid"
    title = "گواهی استان معتبر نیست. کلید، ساعت و مهلت آن را بررسی کنید و گواهی تازه‌ای بسازید."


class AssertionReusedError(DomainError):
    """The assertion was used before."""

    status, code = 401, "assertion_reused"
    title = "این گواهی پیش‌تر به کار رفته است. برای هر درخواست گواهی تازه‌ای بسازید."


class OfficeAssertions:
    """Verifies assertions: JWTs (Ed25519) for ``desk.files`` with the province as ``iss``, valid for two minutes."""

    def __init__(self, public_keys: Mapping[str, str], rate_limits: RateLimits) -> None:
        """``public_keys`` maps provinces to PEMs."""
        self._readers = {
            key: TokenReader(pem, issuer=key, audience=AUDIENCE, longest_seconds=LONGEST_SECONDS)
            for key, pem in public_keys.items()
        }
        self._rate_limits = rate_limits

    async def province_of(self, assertion: str) -> str:
        """Return the province of an assertion and use it up. Raises AssertionInvalidError or AssertionReusedError."""
        reader = self._readers.get(_claimed_issuer(assertion))
        if reader is None:
            raise AssertionInvalidError("an issuer without a key")
        try:
            claims = reader.read(assertion)
        except TokenExpiredError:
            raise AssertionInvalidError("expired") from None
        except TokenError as error:
            raise AssertionInvalidError(str(error)) from None
        province, token_id = str(claims["iss"]), claims.get("jti")
        if not isinstance(token_id, str) or not 0 < len(token_id) <= _ID_MAX:
            raise AssertionInvalidError("an assertion without a jti")
        try:
            await self._rate_limits.reserve(_ONCE, "assertions", f"{province}/{token_id}")
        except RateLimitExceededError:
            raise AssertionReusedError from None
        return province


def _claimed_issuer(assertion: str) -> str:
    """Return the issuer that an assertion claims; it is trusted only once its key has verified the signature."""
    try:
        payload = assertion.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return str(claims["iss"])
    except (IndexError, KeyError, TypeError, ValueError, binascii.Error, RecursionError):
        raise AssertionInvalidError("not a JWT") from None
