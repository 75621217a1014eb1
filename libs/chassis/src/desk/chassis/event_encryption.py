"""Encryption of the data of events: only the receivers can read it, and neither the broker nor its disk.

The data is a JWE (RFC 7516) in the general JSON serialization: encrypted once by A256GCM, and the content key wrapped
for each receiver by ECDH-ES+A256KW. The protected header names the event's id, so that the data cannot be moved to
another event. ``desk.expert`` has its own implementation for offices; the vectors in ``contracts/`` are for both.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal

from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey
from joserfc.util import json_b64encode, urlsafe_b64decode
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

from desk.chassis.crypto import split_pems

CONTENT_TYPE: Literal["application/jose+json"] = "application/jose+json"
ALGORITHM, ENCRYPTION = "ECDH-ES+A256KW", "A256GCM"
CURVE: Literal["X25519"] = "X25519"
CURVES = (CURVE, "P-256")
"""The curve of our services' keys, and those that an office may choose from."""
RECIPIENTS_MAX = 8
"""The contract's maximum: receivers refuse data with more."""
KEYS_OF_RECEIVER_MAX = 2
"""The present key and the former or next one: an event has three receivers at most."""
CIPHERTEXT_LENGTH_MAX = 1024 * 1024
"""In base64url characters; no message of the broker is longer."""

Key = OKPKey | ECKey
JSON_OBJECT = TypeAdapter(dict[str, Any])
_Base64 = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]+$", max_length=1024)]


class EventDecryptionError(Exception):
    """The data of an event cannot be decrypted. The message gives the reason and contains no data."""


class TooManyRecipientsError(ValueError):
    """The receivers of an event have more keys together than the contract allows."""

    def __init__(self, receivers: Sequence[str], keys: int) -> None:
        super().__init__(
            f"{', '.join(receivers)} have {keys} public keys together, and an event has at most {RECIPIENTS_MAX} "
            "recipients: remove former keys"
        )


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class JweHeader(BaseModel):
    """The header of a recipient: ``alg``, ``epk``, and as ``kid`` the RFC 7638 thumbprint of its public key."""

    model_config = ConfigDict(extra="allow", frozen=True, hide_input_in_errors=True)

    kid: Annotated[str, StringConstraints(max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]


class JweRecipient(_Part):
    """One recipient of encrypted data."""

    header: JweHeader
    encrypted_key: _Base64


class Jwe(_Part):
    """Encrypted data: a JWE in the general JSON serialization (RFC 7516, section 7.2.1)."""

    protected: _Base64
    recipients: Annotated[list[JweRecipient], Field(min_length=1, max_length=RECIPIENTS_MAX)]
    iv: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{16}$")]
    ciphertext: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]+$", max_length=CIPHERTEXT_LENGTH_MAX)]
    tag: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{22}$")]


class _EphemeralKey(BaseModel):
    kty: Literal["OKP", "EC"]
    crv: Literal["X25519", "P-256"]
    x: _Base64
    y: _Base64 | None = None


class _Header(BaseModel):
    """All parameters for a recipient. Compression is refused, because a short text could expand to any size."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    alg: Literal["ECDH-ES+A256KW"]
    enc: Literal["A256GCM"]
    epk: _EphemeralKey
    zip: None = None
    crit: None = None


class _Registry(jwe.JWERegistry):
    max_ciphertext_length = CIPHERTEXT_LENGTH_MAX


_REGISTRY = _Registry(algorithms=[ALGORITHM, ENCRYPTION], strict_check_header=False)


class EventEncryptor:
    """Encrypts the data of a publisher's events."""

    def __init__(self, public_keys: Mapping[str, str]) -> None:
        """``public_keys`` has the PEMs of each receiver, one after the other; each becomes a recipient."""
        self._keys = {
            name: [(key.thumbprint(), key) for key in map(import_event_key, split_pems(pems))]
            for name, pems in public_keys.items()
        }

    def encrypt(self, plain: bytes, event_id: str, receivers: Iterable[str]) -> dict[str, Any]:
        """Return the JWE of ``plain`` for these receivers.

        Raises KeyError for a receiver without a key, and TooManyRecipientsError.
        """
        names = tuple(receivers)
        keys = [key for name in names for key in self._keys[name]]
        if len(keys) > RECIPIENTS_MAX:
            raise TooManyRecipientsError(names, len(keys))
        header = {"enc": ENCRYPTION, "typ": "JOSE+JSON", "cty": "json", "event_id": event_id}
        encryption = jwe.GeneralJSONEncryption(header, plain)
        for kid, key in keys:
            encryption.add_recipient({"alg": ALGORITHM, "kid": kid}, key)
        return dict(jwe.encrypt_json(encryption, None, registry=_REGISTRY))


class EventDecryptor:
    """Decrypts the data of events with the private keys of a receiver."""

    def __init__(self, private_keys: Sequence[str]) -> None:
        """``private_keys`` are PEMs, the newest first; during a rotation there are several."""
        self._keys = {key.thumbprint(): key for key in map(import_event_key, private_keys)}

    def decrypt(self, data: object, event_id: str) -> bytes:
        """Return the text that was encrypted for this event. Raises EventDecryptionError.

        ``data`` is a :class:`Jwe`, which is not validated again, or what should be one.
        """
        try:
            sealed = Jwe.model_validate(data)
            protected = _protected_header(sealed.protected)
            recipient = self._own_recipient(sealed)
            _Header.model_validate(recipient.header.model_dump() | protected)
        except ValidationError as error:
            raise EventDecryptionError(f"the data is no JWE of the contract: {_without_values(error)}") from None
        if protected.get("event_id") != event_id:
            raise EventDecryptionError("the data was encrypted for another event")
        return self._decrypted(sealed, recipient)

    def _own_recipient(self, sealed: Jwe) -> JweRecipient:
        """Return the recipient whose key is ours: only this one is decrypted."""
        for recipient in sealed.recipients:
            if recipient.header.kid in self._keys:
                return recipient
        kids = ", ".join(recipient.header.kid for recipient in sealed.recipients)
        raise EventDecryptionError(f"the data is encrypted for other keys: {kids}")

    def _decrypted(self, sealed: Jwe, recipient: JweRecipient) -> bytes:
        alone: Any = sealed.model_dump() | {"recipients": [recipient.model_dump()]}
        try:
            found = jwe.decrypt_json(alone, self._keys[recipient.header.kid], registry=_REGISTRY)
        except (JoseError, ValueError, KeyError) as error:  # KeyError: the ephemeral key is of another kind than ours
            raise EventDecryptionError(f"the data cannot be decrypted: {type(error).__name__}") from None
        return found.plaintext or b""

    def public_keys(self) -> list[dict[str, Any]]:
        """Return the public keys as JWKs (RFC 7517), in the order of the private ones."""
        return [public_jwk(key) for key in self._keys.values()]


def public_jwk(key: Key) -> dict[str, Any]:
    """Return the public part of a key as a JWK."""
    return {**key.as_dict(private=False), "kid": key.thumbprint(), "use": "enc", "alg": ALGORITHM}


def import_event_key(pem: str) -> Key:
    """Read the PEM of a private or public key. Raises ValueError if it is none of the curves X25519 and P-256."""
    for kind in (OKPKey, ECKey):
        try:
            key = kind.import_key(pem)
        except JoseError:  # a key of the other kind
            continue
        if key.curve_name in CURVES:
            return key
    raise ValueError("no key of the curves X25519 and P-256 (PEM)")


def new_event_key_pair() -> tuple[str, str]:
    """Return a new X25519 key pair as PEM texts: private, public."""
    key = OKPKey.generate_key(CURVE)
    return key.as_pem(private=True).decode(), key.as_pem(private=False).decode()


def _protected_header(encoded: str) -> dict[str, Any]:
    """Decode the protected header. It is authenticated as JSON without white space, the only form that is allowed."""
    try:
        header = JSON_OBJECT.validate_json(urlsafe_b64decode(encoded.encode()))
    except ValueError:
        raise EventDecryptionError("the protected header is no JSON object") from None
    if json_b64encode(header).decode() != encoded:
        raise EventDecryptionError("the protected header is no JSON without white space")
    return header


def _without_values(error: ValidationError) -> str:
    return "; ".join(f"{'.'.join(map(str, part['loc'])) or 'data'}: {part['type']}" for part in error.errors())
