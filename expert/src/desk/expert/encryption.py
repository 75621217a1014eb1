"""Encryption of the data of events: the desk's for the office, and the office's reports for the desk.

The data of an event is a JWE (RFC 7516) in the general JSON serialization: ``A256GCM``, and for each recipient
``ECDH-ES+A256KW``. Its protected header names the event's id, so that the data cannot be moved to another event.
"""

import logging
import time
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import httpx
from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey
from joserfc.util import json_b64encode, urlsafe_b64decode
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

from desk.expert.errors import DecryptionError, DeskKeysUnavailableError

log = logging.getLogger(__name__)

CONTENT_TYPE = "application/jose+json"
ALGORITHM, ENCRYPTION = "ECDH-ES+A256KW", "A256GCM"
CURVES = ("X25519", "P-256")
RECIPIENTS_MAX = 8
CIPHERTEXT_LENGTH_MAX = 1024 * 1024
KEYS_PATH = "/api/event-keys"
TIMEOUT_SECONDS, KEPT_SECONDS, RETRY_SECONDS = 10.0, 3600.0, 60.0
"""The desk's keys are fetched again after an hour, or after a minute if they could not be fetched."""

Key = OKPKey | ECKey
JSON_OBJECT = TypeAdapter(dict[str, Any])
_Base64 = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]+$", max_length=1024)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class _Open(BaseModel):
    model_config = ConfigDict(extra="allow", frozen=True, hide_input_in_errors=True)


class _RecipientHeader(_Open):
    kid: Annotated[str, Field(max_length=64)]


class _Recipient(_Part):
    header: _RecipientHeader
    encrypted_key: _Base64


class _Jwe(_Part):
    protected: _Base64
    recipients: Annotated[list[_Recipient], Field(min_length=1, max_length=RECIPIENTS_MAX)]
    iv: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{16}$")]
    ciphertext: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]+$", max_length=CIPHERTEXT_LENGTH_MAX)]
    tag: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{22}$")]


class _EphemeralKey(_Open):
    kty: Literal["OKP", "EC"]
    crv: Literal["X25519", "P-256"]
    x: _Base64
    y: _Base64 | None = None


class _Header(_Open):
    """All parameters for a recipient. Compression is refused, because a short text could expand to any size."""

    alg: Literal["ECDH-ES+A256KW"]
    enc: Literal["A256GCM"]
    epk: _EphemeralKey
    zip: None = None
    crit: None = None


class _Registry(jwe.JWERegistry):
    max_ciphertext_length = CIPHERTEXT_LENGTH_MAX


_REGISTRY = _Registry(algorithms=[ALGORITHM, ENCRYPTION], strict_check_header=False)


class PrivateKeys:
    """The office's private keys, which read the data of events."""

    def __init__(self, pems: Sequence[str]) -> None:
        """``pems`` are X25519 or P-256 keys, the newest first; several during a rotation. Raises ValueError."""
        if not pems:
            raise ValueError("a private key is needed to read events")
        self._keys = {key.thumbprint(): key for key in map(_imported, pems)}

    def decrypt(self, data: object, event_id: str) -> bytes:
        """Return the text that was encrypted for this event. Raises DecryptionError."""
        try:
            sealed = _Jwe.model_validate(data)
            protected = _protected_header(sealed.protected)
            recipient = self._own_recipient(sealed)
            _Header.model_validate(recipient.header.model_dump() | protected)
        except ValidationError as error:
            raise DecryptionError(f"the data is no JWE of the contract: {error.error_count()} errors") from None
        if protected.get("event_id") != event_id:
            raise DecryptionError("the data was encrypted for another event")
        alone: Any = sealed.model_dump() | {"recipients": [recipient.model_dump()]}
        try:
            found = jwe.decrypt_json(alone, self._keys[recipient.header.kid], registry=_REGISTRY)
        except (JoseError, ValueError, KeyError) as error:  # KeyError: the ephemeral key is of another kind than ours
            raise DecryptionError(f"the data cannot be decrypted: {type(error).__name__}") from None
        return found.plaintext or b""

    def _own_recipient(self, sealed: _Jwe) -> _Recipient:
        for recipient in sealed.recipients:
            if recipient.header.kid in self._keys:
                return recipient
        kids = ", ".join(recipient.header.kid for recipient in sealed.recipients)
        raise DecryptionError(f"the data is encrypted for other keys: {kids}; ours: {', '.join(self._keys)}")


class _KeySet(BaseModel):
    model_config = ConfigDict(extra="ignore")

    keys: Annotated[list[dict[str, Any]], Field(min_length=1, max_length=RECIPIENTS_MAX)]


class DeskKeys:
    """The public keys for which reports are encrypted, from the desk's address; they are kept for an hour."""

    def __init__(self, url: str, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        """``url`` is the desk's address."""
        self._http = httpx.AsyncClient(base_url=url, timeout=TIMEOUT_SECONDS, transport=transport)
        self._keys: list[Key] = []
        self._until = 0.0

    async def current(self) -> list[Key]:
        """Return the desk's keys; former ones if it is unavailable. Raises DeskKeysUnavailableError."""
        if time.monotonic() >= self._until:
            await self._refresh()
        return self._keys

    async def _refresh(self) -> None:
        try:
            answer = (await self._http.get(KEYS_PATH)).raise_for_status()
            self._keys = import_keys(answer.content)
        except (httpx.HTTPError, ValueError) as error:
            if not self._keys:
                raise DeskKeysUnavailableError(type(error).__name__) from error
            log.warning("the desk's keys could not be fetched again: %s", type(error).__name__)
            self._until = time.monotonic() + RETRY_SECONDS
        else:
            self._until = time.monotonic() + KEPT_SECONDS

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()


def import_keys(key_set: bytes) -> list[Key]:
    """Read the JWK Set (RFC 7517) that the desk publishes. Raises ValueError."""
    return [_imported(key) for key in _KeySet.model_validate_json(key_set).keys]


def encrypt(plain: bytes, event_id: str, keys: Sequence[Key]) -> dict[str, Any]:
    """Return the JWE of an event's data for these public keys."""
    header = {"enc": ENCRYPTION, "typ": "JOSE+JSON", "cty": "json", "event_id": event_id}
    encryption = jwe.GeneralJSONEncryption(header, plain)
    for key in keys:
        encryption.add_recipient({"alg": ALGORITHM, "kid": key.thumbprint()}, key)
    return dict(jwe.encrypt_json(encryption, None, registry=_REGISTRY))


def _imported(key: str | dict[str, Any]) -> Key:
    for kind in (OKPKey, ECKey):
        try:
            found = kind.import_key(key)
        except JoseError:  # a key of the other kind
            continue
        if found.curve_name in CURVES:
            return found
    raise ValueError("no key of the curves X25519 and P-256")


def _protected_header(encoded: str) -> dict[str, Any]:
    try:
        header = JSON_OBJECT.validate_json(urlsafe_b64decode(encoded.encode()))
    except ValueError:
        raise DecryptionError("the protected header is no JSON object") from None
    if json_b64encode(header).decode() != encoded:
        raise DecryptionError("the protected header is no JSON without white space")
    return header
