"""Authentication of provinces: short-lived assertions signed with their own keys, verified offline."""

import base64
import binascii
import json
from collections.abc import Mapping

from desk.chassis.crypto import TokenError, TokenReader
from desk.chassis.problem import DomainError, FieldError, RateLimitExceededError
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


PARTS: Mapping[str, str] = {
    "token": "گواهی باید یک JWT باشد: سه بخش base64url که با نقطه از هم جدا شده‌اند، و یک شیء JSON در هر دو بخش نخست.",
    "alg": "در سرآیند JWT مقدار alg باید EdDSA یا Ed25519 باشد.",
    "signature": "امضا با کلید عمومی استان که میز خدمت دارد درست درنمی‌آید. کلید خصوصی دیگری به کار رفته است.",
    "iss": "مقدار iss باید کلید استان باشد، مانند isfahan، و راهبر میز خدمت باید کلید عمومی آن استان را داشته باشد.",
    "aud": f"مقدار aud باید {AUDIENCE} باشد.",
    "exp": (
        "مقدار exp باید زمان یونیکس به ثانیه باشد، در آینده و حداکثر دو دقیقه بعد. ساعت رایانهٔ خود را هم بررسی کنید."
    ),
    "iat": "مقدار iat در آینده است. ساعت رایانهٔ خود را بررسی کنید.",
    "nbf": "مقدار nbf در آینده است. ساعت رایانهٔ خود را بررسی کنید.",
    "jti": f"مقدار jti باید متنی با ۱ تا {_ID_MAX} نویسه باشد، و برای هر گواهی تازه.",
}
"""What is wrong with each part of an assertion, for the engineer who made it."""


class AssertionInvalidError(DomainError):
    """The assertion is forged or expired, has an unknown issuer or another audience, or is valid for too long.

    The problem's ``errors`` name the part: a claim, or ``alg``, ``signature`` or ``token``.
    """

    status, code = 401, "assertion_invalid"
    title = "گواهی استان معتبر نیست. بخش نام‌برده را درست کنید و گواهی تازه‌ای بسازید."

    def __init__(self, part: str, reason: str) -> None:
        """``part`` is one of :data:`PARTS`; ``reason`` is for the log."""
        super().__init__(reason, errors=[FieldError(part, f"assertion_{part}", PARTS[part])])


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
            raise AssertionInvalidError("iss", "an issuer without a key")
        try:
            claims = reader.read(assertion)
        except TokenError as error:
            raise AssertionInvalidError(error.part, str(error)) from None
        province, token_id = str(claims["iss"]), claims.get("jti")
        if not isinstance(token_id, str) or not 0 < len(token_id) <= _ID_MAX:
            raise AssertionInvalidError("jti", "an assertion without a jti")
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
        return str(claims.get("iss"))
    except (AttributeError, IndexError, ValueError, binascii.Error, RecursionError):
        raise AssertionInvalidError("token", "not a JWT") from None
