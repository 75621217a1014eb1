"""Checks of secrets before a program starts: length, well-known values, equal secrets, and files that others may read.

A check raises :class:`WeakSecretError` with a sentence that never contains the secret.
"""

import base64
import binascii
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

KEY_BYTES = 32
LENGTH_MIN, ISSUED_LENGTH_MIN = 16, 8
"""Characters of a secret that the operator makes, and of one that another organization issues."""
DISTINCT_CHARACTERS_MIN, DISTINCT_BYTES_MIN = 5, 12
"""32 random bytes have 26 or more distinct values in all but one of a million cases."""
OTHERS = 0o007

_TLS_SCHEMES = ("amqps", "rediss", "https")
_LOCAL_SCHEMES = ("memory", "sqlite", "unix")
_WORDS = (
    "abcdefghijklmnopqrstuvwxyz|qwertyuiop|1234567890|password|passwd|passphrase|change|letmein|welcome|"
    "minio|administrator|admin|guest|secret|default|example|postgres|postgresql|rabbitmq|redis|console|"
    "service|desk|user|root|test|demo|pass|key|token|please|me"
)
_WELL_KNOWN = re.compile(rf"[\W\d_]*((?:{_WORDS})[\W\d_]*)+", re.IGNORECASE)
_PEM = re.compile(r"\s*-----BEGIN (?P<kind>[A-Z ]*)KEY-----(?P<body>.+)-----END [A-Z ]*KEY-----\s*", re.DOTALL)


class WeakSecretError(ValueError):
    """A secret is missing, well-known, too short or too simple."""


class SecretKind(Enum):
    """What a setting's secret is: metadata of its annotation, where its value does not show it."""

    OPERATOR = "made by the operator"
    ISSUED = "issued by another organization, which decides about its length"
    KEYS = "keys of 32 bytes in base64, by commas, each with or without an id in front"
    INDEX_KEY = "keys of 32 bytes or more in base64, by commas"


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret and the setting that holds it."""

    name: str
    value: str
    kind: SecretKind = SecretKind.OPERATOR
    user: str | None = None
    """The user whose password it is, where the setting is a table by users."""

    @property
    def in_address(self) -> bool:
        """Whether the secret is the password in an address. A key is none, though ``k1://…`` may begin like one."""
        return self.kind not in {SecretKind.KEYS, SecretKind.INDEX_KEY} and is_address(self.value)

    def account(self) -> str | None:
        """Return the account that the secret opens, if the setting says so: one account may be in two settings."""
        if not self.in_address:
            return self.user
        parts = urlsplit(self.value)
        return parts.username or parts.netloc.rpartition("@")[2]

    def materials(self) -> list[bytes]:
        """Return what must not be equal to another secret: keys by their bytes, and of an address the password."""
        if self.in_address:
            return [_decoded(each) for each in _passwords(urlsplit(self.value))[:1]]
        if pem := _PEM.fullmatch(self.value):
            return [] if "PUBLIC" in pem["kind"] else ["".join(pem["body"].split()).encode()]
        return [_decoded(part) for part in self.value.split(",") if part.strip()]


def is_address(value: str) -> bool:
    """Return whether a secret is an address, such as that of a database, whose password is the secret."""
    return re.match(r"[a-z][a-z0-9+.-]*://", value) is not None


def is_plain(address: str) -> bool:
    """Return whether an address is of another machine's service, and without TLS that verifies the server."""
    parts = urlsplit(address)
    scheme = parts.scheme.partition("+")[0]
    if scheme in _LOCAL_SCHEMES or not parts.netloc:
        return False
    if scheme == "postgresql":
        return parse_qs(parts.query).get("ssl") != ["verify-full"]
    return scheme not in _TLS_SCHEMES


def check(secret: Secret) -> None:
    """Check one secret. Raises WeakSecretError."""
    if not secret.value.strip():
        raise WeakSecretError("is empty")
    if secret.in_address:
        check_address(secret.value)
    elif secret.kind in {SecretKind.KEYS, SecretKind.INDEX_KEY}:
        check_keys(secret.value, longer=secret.kind is SecretKind.INDEX_KEY)
    elif not _PEM.fullmatch(secret.value):
        check_text(secret.value, ISSUED_LENGTH_MIN if secret.kind is SecretKind.ISSUED else LENGTH_MIN)


def check_text(value: str, length_min: int = LENGTH_MIN) -> None:
    """Check a password, token or API key. Raises WeakSecretError."""
    if _WELL_KNOWN.fullmatch(value):
        raise WeakSecretError("is a well-known value; use a random one")
    if len(value) < length_min:
        raise WeakSecretError(f"is too short: {length_min} characters or more are needed")
    if len(set(value)) < DISTINCT_CHARACTERS_MIN or _repeats(value):
        raise WeakSecretError("repeats the same characters; use a random one")


def check_address(value: str) -> None:
    """Check the password in an address of a network service. Raises WeakSecretError."""
    parts = urlsplit(value)
    if parts.scheme.partition("+")[0] in _LOCAL_SCHEMES or not parts.netloc:
        return
    passwords = _passwords(parts)
    if not passwords:
        raise WeakSecretError("has no password in its address")
    for password in passwords:
        try:
            check_text(password)
        except WeakSecretError as error:
            raise WeakSecretError(f"has a weak password in its address: it {error}") from None


def check_keys(value: str, *, longer: bool = False) -> None:
    """Check keys of 32 bytes in base64, or at least 32 if they may be longer. Raises WeakSecretError."""
    for part in value.split(","):
        try:
            key = base64.b64decode(part.strip().rpartition(":")[2], validate=True)
        except binascii.Error:
            raise WeakSecretError("is not base64 of 32 random bytes") from None
        if len(key) < KEY_BYTES:
            raise WeakSecretError("is too short: a key has 32 bytes, in base64")
        if len(key) > KEY_BYTES and not longer:
            raise WeakSecretError("is too long: a key has 32 bytes, in base64")
        if len(set(key)) < DISTINCT_BYTES_MIN:
            raise WeakSecretError("is not random: it repeats the same bytes")


def faults(secrets: Iterable[Secret]) -> list[str]:
    """Check secrets, each and against each other; return a line per fault, which begins with the setting's name."""
    found: list[str] = []
    seen: dict[bytes, Secret] = {}
    for secret in secrets:
        try:
            check(secret)
            _check_distinct(secret, seen)
        except WeakSecretError as error:
            found.append(f"{secret.name} {error}")
    return found


def faults_of_files(folder: Path) -> list[str]:
    """Return a line for each file of a folder of secrets that others may read or write. Links are followed.

    Raises OSError if a file cannot be examined.
    """
    if os.name == "nt":  # has no such permissions
        return []
    files = sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    return [
        f"{path.name}: its file is accessible to others; run chmod o-rwx" for path in files if _open_to_others(path)
    ]


def _open_to_others(path: Path) -> bool:
    return bool(path.stat().st_mode & OTHERS)


def _check_distinct(secret: Secret, seen: dict[bytes, Secret]) -> None:
    for material in secret.materials():
        other = seen.setdefault(material, secret)
        same_account = other.account() is not None and other.account() == secret.account()
        if other is not secret and not same_account:
            raise WeakSecretError(f"is equal to {other.name}; every secret must be its own")


def _passwords(parts: SplitResult) -> list[str]:
    query = parse_qs(parts.query)
    given = [unquote(parts.password)] if parts.password else []
    return given + query.get("password", []) + query.get("sentinel_password", [])


def _decoded(part: str) -> bytes:
    text = part.strip()
    try:
        key = base64.b64decode(text.rpartition(":")[2], validate=True)
    except (binascii.Error, ValueError):
        return text.encode()
    return key if len(key) >= KEY_BYTES else text.encode()


def _repeats(text: str) -> bool:
    """Return whether a text consists of a shorter one, twice or more."""
    return text in (text + text)[1:-1]
