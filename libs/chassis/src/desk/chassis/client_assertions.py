"""Authentication of offices: short-lived assertions (JWTs) signed with their own keys, verified offline."""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from desk.chassis.audit import AuditLog
from desk.chassis.crypto import TokenError, TokenReader
from desk.chassis.problem import DomainError, FieldError, RateLimitExceededError
from desk.chassis.rate_limits import RateLimits

LONGEST_SECONDS = 120
_ONCE = "1/5 minutes"
"""Longer than an assertion is valid, so that each one can be used once."""
_ID_MAX = 64
_PERSON_MAX = 60
_PERSON = re.compile(rf"[A-Za-z0-9._@-]{{1,{_PERSON_MAX}}}")


class AssertionMissingError(DomainError):
    """The request has no assertion."""

    status, code = 401, "assertion_missing"
    title = "برای این نشانی، گواهی امضاشدهٔ اداره لازم است؛ آن را در سرآیند Authorization بفرستید."


PARTS: Mapping[str, str] = {
    "token": "گواهی باید یک JWT باشد: سه بخش base64url که با نقطه از هم جدا شده‌اند، و یک شیء JSON در هر دو بخش نخست.",
    "alg": "در سرآیند JWT مقدار alg باید EdDSA یا Ed25519 باشد.",
    "signature": "امضا با کلید عمومی اداره که میز خدمت دارد درست درنمی‌آید. کلید خصوصی دیگری به کار رفته است.",
    "iss": (
        "مقدار iss باید کلید اداره باشد، مانند isfahan یا headquarters، "
        "و راهبر میز خدمت باید کلید عمومی آن اداره را داشته باشد."
    ),
    "aud": "مقدار aud باید {audience} باشد.",
    "exp": (
        "مقدار exp باید زمان یونیکس به ثانیه باشد، در آینده و حداکثر دو دقیقه بعد. ساعت رایانهٔ خود را هم بررسی کنید."
    ),
    "iat": "مقدار iat در آینده است. ساعت رایانهٔ خود را بررسی کنید.",
    "nbf": "مقدار nbf در آینده است. ساعت رایانهٔ خود را بررسی کنید.",
    "jti": f"مقدار jti باید متنی با ۱ تا {_ID_MAX} نویسه باشد، و برای هر گواهی تازه.",
    "act": f"مقدار act.sub باید نام کاربری کسی باشد که این کار را می‌کند: ۱ تا {_PERSON_MAX} حرف، رقم، نقطه، - یا _.",
}
"""What is wrong with each part of an assertion, for the engineer who made it."""


class AssertionInvalidError(DomainError):
    """The assertion is forged or expired, has an unknown issuer or another audience, or is valid for too long.

    The problem's ``errors`` name the part: a claim, or ``alg``, ``signature`` or ``token``.
    """

    status, code = 401, "assertion_invalid"
    title = "گواهی اداره معتبر نیست. بخش نام‌برده را درست کنید و گواهی تازه‌ای بسازید."

    def __init__(self, part: str, reason: str, audience: str) -> None:
        """``part`` is one of :data:`PARTS`; ``reason`` is for the log; ``audience`` is what ``aud`` must be."""
        message = PARTS[part].format(audience=audience)
        super().__init__(reason, errors=[FieldError(part, f"assertion_{part}", message)])


class AssertionReusedError(DomainError):
    """The assertion was used before."""

    status, code = 401, "assertion_reused"
    title = "این گواهی پیش‌تر به کار رفته است. برای هر درخواست گواهی تازه‌ای بسازید."


ASSERTION_ERRORS = (AssertionMissingError, AssertionInvalidError, AssertionReusedError)
"""The errors of :meth:`ClientAssertions.client_of`."""


@dataclass(frozen=True, slots=True)
class Caller:
    """The client of an assertion, and the person who acts there by ``act.sub`` (RFC 8693), if the client names one."""

    client: str
    person: str | None


class ClientAssertions:
    """Verifies assertions: JWTs (Ed25519) for one audience with the client as ``iss``, valid for two minutes."""

    def __init__(self, public_keys: Mapping[str, str], audience: str, rate_limits: RateLimits, audit: AuditLog) -> None:
        """``public_keys`` maps clients to PEMs; ``audit`` records refused assertions."""
        self._readers = {
            key: TokenReader(pem, issuer=key, audience=audience, longest_seconds=LONGEST_SECONDS)
            for key, pem in public_keys.items()
        }
        self._audience = audience
        self._rate_limits = rate_limits
        self._audit = audit

    async def client_of(self, assertion: str | None, source: str) -> str:
        """Return the client of an assertion and use it up; as :meth:`caller_of`."""
        return (await self.caller_of(assertion, source)).client

    async def caller_of(self, assertion: str | None, source: str) -> Caller:
        """Return client and person of an assertion and use it up. ``source`` is the caller's address.

        Raises AssertionMissingError, AssertionInvalidError or AssertionReusedError.
        """
        if assertion is None:
            raise AssertionMissingError
        try:
            return await self._use(assertion)
        except (AssertionInvalidError, AssertionReusedError) as error:
            await self._audit.add_refusal("assertion_refused", source=source, about=error.code)
            raise

    async def _use(self, assertion: str) -> Caller:
        caller, token_id = self._read(assertion)
        try:
            await self._rate_limits.reserve(_ONCE, "assertions", f"{caller.client}/{token_id}")
        except RateLimitExceededError:
            raise AssertionReusedError from None
        return caller

    def _read(self, assertion: str) -> tuple[Caller, str]:
        """Return the caller and the id of an assertion. Raises AssertionInvalidError."""
        try:
            reader = self._readers.get(_claimed_issuer(assertion))
        except ValueError:
            raise self._invalid("token", "not a JWT") from None
        if reader is None:
            raise self._invalid("iss", "an issuer without a key")
        try:
            claims = reader.read(assertion)
        except TokenError as error:
            raise self._invalid(error.part, str(error)) from None
        token_id = claims.get("jti")
        if not isinstance(token_id, str) or not 0 < len(token_id) <= _ID_MAX:
            raise self._invalid("jti", "an assertion without a jti")
        return Caller(str(claims["iss"]), self._person(claims.get("act"))), token_id

    def _person(self, actor: object) -> str | None:
        if actor is None:
            return None
        person = actor.get("sub") if isinstance(actor, dict) else None
        if not isinstance(person, str) or not _PERSON.fullmatch(person):
            raise self._invalid("act", "an actor without a name")
        return person

    def _invalid(self, part: str, reason: str) -> AssertionInvalidError:
        return AssertionInvalidError(part, reason, self._audience)


def _claimed_issuer(assertion: str) -> str:
    """Return the issuer that an assertion claims; it is trusted only once its key has verified the signature.

    Raises ValueError.
    """
    try:
        payload = assertion.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return str(claims.get("iss"))
    except (AttributeError, IndexError, binascii.Error, RecursionError):
        raise ValueError("not a JWT") from None
