"""Who a province is: short-lived assertions it signs with a key of its own, checked offline."""

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
"""Longer than an assertion may last: so each is good for one call."""
_ID_MAX = 64


class AssertionMissingError(DomainError):
    """No assertion came along."""

    status, code = 401, "assertion_missing"
    title = "برای این نشانی، گواهی امضاشدهٔ استان لازم است؛ آن را در سرآیند Authorization بفرستید."


class AssertionInvalidError(DomainError):
    """The assertion is of no province we know, forged, too old, for something else, or lasts too long."""

    status, code = 401, "assertion_invalid"
    title = "گواهی استان معتبر نیست. کلید، ساعت و مهلت آن را بررسی کنید و گواهی تازه‌ای بسازید."


class AssertionReusedError(DomainError):
    """The assertion was used before."""

    status, code = 401, "assertion_reused"
    title = "این گواهی پیش‌تر به کار رفته است. برای هر درخواست گواهی تازه‌ای بسازید."


class ProvinceAssertions:
    """Reads assertions: JWTs (Ed25519) with the province's key as ``iss``, for ``desk.files``, good for two minutes."""

    def __init__(self, public_keys: Mapping[str, str], rate_limits: RateLimits) -> None:
        """``public_keys`` maps provinces to PEMs."""
        self._readers = {
            key: TokenReader(pem, issuer=key, audience=AUDIENCE, longest_seconds=LONGEST_SECONDS)
            for key, pem in public_keys.items()
        }
        self._budgets = rate_limits

    async def province_of(self, assertion: str) -> str:
        """Say whose it is, and let it not be used again. Raises AssertionInvalidError or AssertionReusedError."""
        reader = self._readers.get(_claimed_issuer(assertion))
        if reader is None:
            raise AssertionInvalidError("no province whose key we have")
        try:
            claims = reader.read(assertion)
        except TokenExpiredError:
            raise AssertionInvalidError("expired") from None
        except TokenError as error:
            raise AssertionInvalidError(str(error)) from None
        province, one = str(claims["iss"]), claims.get("jti")
        if not isinstance(one, str) or not 0 < len(one) <= _ID_MAX:
            raise AssertionInvalidError("an assertion needs a jti")
        try:
            await self._budgets.reserve(_ONCE, "assertions", f"{province}/{one}")
        except RateLimitExceededError:
            raise AssertionReusedError from None
        return province


def _claimed_issuer(assertion: str) -> str:
    """Read who it says it is from; that is believed only once the signature is checked by that province's key."""
    try:
        payload = assertion.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return str(claims["iss"])
    except (IndexError, KeyError, TypeError, ValueError, binascii.Error, RecursionError):
        raise AssertionInvalidError("not a token") from None
