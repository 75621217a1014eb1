"""Encryption of personal data, blind indexes over it, and short-lived signed tokens."""

import base64
import hashlib
import hmac
import os
import time
import uuid
from collections.abc import Mapping
from typing import Any, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from joserfc import jws, jwt
from joserfc.errors import (
    BadSignatureError,
    ClaimError,
    ConflictAlgorithmError,
    JoseError,
    MissingAlgorithmError,
    UnsupportedAlgorithmError,
)
from joserfc.jwk import OKPKey

from desk.security.data_keys import DecryptionError

__all__ = [
    "DecryptionError",
    "TokenError",
    "TokenExpiredError",
    "TokenIssuer",
    "TokenReader",
    "Vault",
    "blind_index",
    "is_private_key",
    "is_public_key",
    "new_key_pair",
    "new_secret",
    "public_key_of",
    "split_pems",
]

_NONCE_BYTES = 12
_ALGORITHM = "Ed25519"
_ALGORITHMS = [_ALGORITHM, "EdDSA"]
"""Two names of one algorithm: that of RFC 9864, and the older one of RFC 8037, which most libraries write."""
_ALGORITHM_ERRORS = (UnsupportedAlgorithmError, ConflictAlgorithmError, MissingAlgorithmError)
_CLOCK_SKEW_SECONDS = 30


class _Registry(jws.JWSRegistry):
    algorithms = dict.fromkeys(_ALGORITHMS, jws.JWSRegistry.algorithms[_ALGORITHM])


_REGISTRY = _Registry(algorithms=_ALGORITHMS)


class TokenError(Exception):
    """A token that cannot be trusted: forged, for another purpose, or not a token.

    ``part`` names what is wrong: a claim such as ``aud``, or ``alg``, ``signature`` or ``token``.
    """

    def __init__(self, reason: str, part: str = "token") -> None:
        super().__init__(reason)
        self.part = part


class TokenExpiredError(TokenError):
    """A genuine token that has expired."""

    def __init__(self) -> None:
        super().__init__("expired", "exp")


class Vault:
    """Encrypts personal data at rest and computes blind indexes over it.

    AES-256-GCM with a random nonce. The key's id is stored in front, so that keys can be rotated. The place (table,
    column, row) is authenticated, so that a value cannot be moved to another row. Layout of an encrypted value:
    ``len(key id) | key id | nonce (12) | ciphertext and tag``.
    """

    def __init__(self, keys: Mapping[str, bytes], *index_keys: bytes) -> None:
        """``keys`` maps key ids to 32-byte keys, the current one first.

        ``index_keys`` have at least 32 bytes each; the first one makes new indexes, all of them search.
        """
        if not keys or any(len(key) != 32 for key in keys.values()):  # noqa: PLR2004 - AES-256
            raise ValueError("the vault needs at least one key of 32 bytes")
        if not all(key_id.isascii() and 0 < len(key_id) <= 255 for key_id in keys):  # noqa: PLR2004 - one byte holds it
            raise ValueError("a key id has 1 to 255 ASCII characters")
        if not index_keys or any(len(key) < 32 for key in index_keys):  # noqa: PLR2004 - as strong as the hash
            raise ValueError("an index key needs at least 32 bytes")
        self._ciphers = {key_id: AESGCM(key) for key_id, key in keys.items()}
        self._current = next(iter(keys))
        self._index_keys = index_keys
        self.index_key_ids = [_id_of(key) for key in index_keys]
        """A short id of each index key, which reveals nothing about it."""

    @classmethod
    def from_text(cls, keys: str, index_keys: str) -> Self:
        """Parse ``id:base64,id:base64`` and ``base64,base64``, the current key first: the format of the settings."""
        pairs = (entry.strip().partition(":") for entry in keys.split(","))
        return cls(
            {key_id: base64.b64decode(key) for key_id, _, key in pairs},
            *(base64.b64decode(key.strip()) for key in index_keys.split(",")),
        )

    @property
    def prefix(self) -> bytes:
        """What every value begins with that the current key encrypts."""
        return bytes([len(self._current)]) + self._current.encode()

    def seal(self, plain: bytes, place: str) -> bytes:
        """Encrypt ``plain`` for ``place``, e.g. ``request.personal:<row id>``."""
        nonce = os.urandom(_NONCE_BYTES)
        return self.prefix + nonce + self._ciphers[self._current].encrypt(nonce, plain, place.encode())

    def open(self, sealed: bytes, place: str) -> bytes:
        """Decrypt a value that :meth:`seal` encrypted for the same place. Raises DecryptionError."""
        table = place.partition(":")[0]
        key_id = self.key_of(sealed)
        start = 1 + len(key_id)
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            raise DecryptionError(f"no key {key_id!r} for {table}")
        try:
            return cipher.decrypt(sealed[start : start + _NONCE_BYTES], sealed[start + _NONCE_BYTES :], place.encode())
        except (InvalidTag, ValueError):  # ValueError: cut off within the nonce
            raise DecryptionError(f"a value of {table} cannot be decrypted") from None

    @staticmethod
    def key_of(sealed: bytes) -> str:
        """Return the id of the key that encrypted a value."""
        return sealed[1 : 1 + sealed[0]].decode("ascii", "replace") if sealed else ""

    def index(self, value: str, purpose: str) -> str:
        """Return a blind index: a keyed hash (HMAC-SHA256, hex) that finds ``value`` without revealing it."""
        return blind_index(self._index_keys[0], value, purpose)

    def indexes(self, value: str, purpose: str) -> list[str]:
        """Return the blind index under each index key, the current one first: a search looks for all of them."""
        return [blind_index(key, value, purpose) for key in self._index_keys]


def _id_of(key: bytes) -> str:
    return hmac.digest(key, b"id of an index key", hashlib.sha256).hex()[:8]


def blind_index(key: bytes, value: str, purpose: str) -> str:
    """Return a keyed hash (HMAC-SHA256, hex) that finds ``value`` without revealing it. ``key`` has 32 bytes."""
    return hmac.new(key, f"{purpose}\0{value}".encode(), hashlib.sha256).hexdigest()


class TokenIssuer:
    """Signs short-lived tokens (JWT, Ed25519) that other services verify offline with the public key."""

    def __init__(self, private_key: str, issuer: str) -> None:
        """``private_key`` is a PEM."""
        self._key = OKPKey.import_key(private_key)
        self._issuer = issuer

    def issue(self, claims: Mapping[str, Any], *, audience: str, seconds: int) -> tuple[str, int]:
        """Return the token and its expiry as a Unix time in seconds."""
        now = int(time.time())
        payload = {
            **claims,
            "iss": self._issuer,
            "aud": audience,
            "iat": now,
            "exp": now + seconds,
            "jti": str(uuid.uuid4()),
        }
        return jwt.encode({"alg": _ALGORITHM}, payload, self._key, algorithms=[_ALGORITHM]), now + seconds

    def reader(self, audience: str) -> "TokenReader":
        """Return a reader of this issuer's own tokens."""
        return TokenReader(self._key.as_pem(private=False).decode(), issuer=self._issuer, audience=audience)


class TokenReader:
    """Verifies tokens of one issuer for one audience, offline."""

    def __init__(self, public_key: str, *, issuer: str, audience: str, longest_seconds: int | None = None) -> None:
        """``public_key`` is a PEM; tokens that expire later than ``longest_seconds`` from now are refused."""
        self._key = OKPKey.import_key(public_key)
        self._longest_seconds = longest_seconds
        self._claims = jwt.JWTClaimsRegistry(
            leeway=_CLOCK_SKEW_SECONDS,  # the issuer's clock may be ahead of ours; the expiry is checked without it
            iss={"essential": True, "value": issuer},
            aud={"essential": True, "value": audience},
            exp={"essential": True},
        )

    def read(self, token: str) -> dict[str, Any]:
        """Return the claims. Raises TokenExpiredError or TokenError."""
        try:
            claims: dict[str, Any] = jwt.decode(token, self._key, registry=_REGISTRY).claims
        except _ALGORITHM_ERRORS:
            raise TokenError(f"the algorithm is not {' or '.join(_ALGORITHMS)}", "alg") from None
        except BadSignatureError:
            raise TokenError("another key signed the token", "signature") from None
        except (JoseError, ValueError, TypeError) as error:  # TypeError: a "crit" header that is no list
            raise TokenError(f"not a valid token: {type(error).__name__}") from None
        if isinstance(claims.get("exp"), int) and claims["exp"] <= time.time():
            raise TokenExpiredError
        if self._longest_seconds is not None and not self._ends_soon(claims.get("exp"), self._longest_seconds):
            raise TokenError("the token expires too late", "exp")
        try:
            self._claims.validate(claims)
        except ClaimError as error:
            raise TokenError(f"wrong claim: {error.claim}", error.claim) from None
        return claims

    @staticmethod
    def _ends_soon(expiry: Any, seconds: int) -> bool:
        return isinstance(expiry, int) and expiry <= time.time() + seconds + _CLOCK_SKEW_SECONDS


def new_key_pair() -> tuple[str, str]:
    """Return a fresh Ed25519 key pair as PEM texts: private, public."""
    key = OKPKey.generate_key("Ed25519")
    return key.as_pem(private=True).decode(), key.as_pem(private=False).decode()


def public_key_of(private_key: str) -> str:
    """Return the PEM of the public key that belongs to a private one."""
    return OKPKey.import_key(private_key).as_pem(private=False).decode()


def split_pems(text: str) -> list[str]:
    """Return the PEMs of a text that has one or more, one after the other."""
    end = "-----END PUBLIC KEY-----"
    return [f"{part.strip()}\n{end}\n" for part in text.split(end) if part.strip()]


def is_public_key(text: str) -> bool:
    """Return whether a text is the PEM of an Ed25519 public key."""
    try:
        key = OKPKey.import_key(text)
    except (JoseError, ValueError, TypeError):
        return False
    return key.curve_name == _ALGORITHM and not key.is_private


def is_private_key(text: str) -> bool:
    """Return whether a text is the PEM of an Ed25519 private key."""
    try:
        key = OKPKey.import_key(text)
    except (JoseError, ValueError, TypeError):
        return False
    return key.curve_name == _ALGORITHM and key.is_private


def new_secret() -> str:
    """Return 32 random bytes as base64, fit for a vault or index key."""
    return base64.b64encode(os.urandom(32)).decode()
