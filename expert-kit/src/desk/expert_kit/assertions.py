"""Checks assertions, the signed tokens of calls for files, as the desk does, and says what to change."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey
from joserfc.util import urlsafe_b64decode

AUDIENCE = "desk.files"
LONGEST_SECONDS = 120
ALGORITHMS = ("EdDSA", "Ed25519")
"""The same algorithm under the names of RFC 8037 and RFC 9864."""
_ID_MAX = 64

ADVICE: Mapping[str, str] = {
    "header": "send the header Authorization: Bearer <assertion>, with a new assertion for each call",
    "token": "send a JWT (RFC 7519): three base64url parts, joined by dots, of which the first two are JSON objects",
    "alg": 'write "EdDSA" or "Ed25519" as alg in the header of the JWT',
    "signature": "sign with PRIVATE_KEY, which is an Ed25519 key, over the first two parts as they are sent",
    "iss": "write the key of your province, PROVINCE, as iss",
    "aud": f'write "{AUDIENCE}" as aud',
    "exp": f"write seconds since 1970 (UTC) as exp, now plus 60; {LONGEST_SECONDS} ahead at most. Is the clock right?",
    "iat": "write the present time in seconds since 1970 (UTC) as iat, or leave it out. Is the clock right?",
    "nbf": "write the present time in seconds since 1970 (UTC) as nbf, or leave it out. Is the clock right?",
    "jti": f"write a new text, such as a UUID, as jti in each assertion, with {_ID_MAX} letters at most",
}
"""What to do, by the part of an assertion that is wrong."""


@dataclass(frozen=True, slots=True)
class WrongPart:
    """The part of an assertion that is wrong, a key of :data:`ADVICE`, and how."""

    part: str
    reason: str

    def __str__(self) -> str:
        """Return both in one line."""
        return f"{self.part}: {self.reason}"


class Assertions:
    """Reads the assertions of one province; each is accepted once."""

    def __init__(self, province: str, public_key: str) -> None:
        """``public_key`` is the PEM of the province's key."""
        self._province, self._key = province, OKPKey.import_key(public_key)
        self._used: set[str] = set()

    def fault_of(self, authorization: str | None) -> WrongPart | None:
        """Return the first wrong part of an Authorization header; None if the assertion is accepted, and used up."""
        token = re.fullmatch(r"Bearer +(\S.*)", authorization or "", re.IGNORECASE)
        if token is None:
            return WrongPart("header", "the call has no header Authorization: Bearer <assertion>")
        try:
            header, claims = (_object(part) for part in token[1].split(".")[:2])
        except ValueError:
            return WrongPart("token", "it is no JWT")
        return self._signature_fault(token[1], header) or self._claim_fault(claims)

    def _signature_fault(self, token: str, header: dict[str, Any]) -> WrongPart | None:
        if header.get("alg") not in ALGORITHMS:
            return WrongPart("alg", f"it is {header.get('alg')!r}")
        try:
            jws.deserialize_compact(token, self._key, algorithms=list(ALGORITHMS))
        except (JoseError, ValueError) as error:
            return WrongPart("signature", f"it is not that of PRIVATE_KEY ({type(error).__name__})")
        return None

    def _claim_fault(self, claims: dict[str, Any]) -> WrongPart | None:
        now = datetime.now(UTC).timestamp()
        for name, wanted in (("iss", [self._province]), ("aud", [AUDIENCE, [AUDIENCE]])):
            if claims.get(name) not in wanted:
                return WrongPart(name, f"it is {claims.get(name)!r}, and should be {wanted[0]!r}")
        expiry = claims.get("exp")
        if type(expiry) is not int:
            return WrongPart("exp", f"it is {expiry!r}, and should be a whole number")
        if not 0 < expiry - now <= LONGEST_SECONDS:
            return WrongPart("exp", f"it is {expiry - now:.0f} s ahead")
        for name in ("iat", "nbf"):
            if name in claims and not (type(claims[name]) in {int, float} and claims[name] <= now + 1):
                return WrongPart(name, f"it is {claims[name]!r}, in the future or no number")
        return self._id_fault(claims.get("jti"))

    def _id_fault(self, token_id: object) -> WrongPart | None:
        if not isinstance(token_id, str) or not 0 < len(token_id) <= _ID_MAX:
            return WrongPart("jti", f"it is {token_id!r}" if token_id is not None else "it is missing")
        if token_id in self._used:
            return WrongPart("jti", "the assertion was used before")
        self._used.add(token_id)
        return None


def _object(part: str) -> dict[str, Any]:
    value = json.loads(urlsafe_b64decode(part.encode()))
    if not isinstance(value, dict):
        raise ValueError("no JSON object")  # noqa: TRY004 - one error for each way not to be a JWT
    return value
