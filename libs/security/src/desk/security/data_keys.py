"""Data keys: each one encrypts the personal data of one request or one file, and can be destroyed with it."""

import os
from dataclasses import dataclass, field
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32
_NONCE_BYTES = 12
DATA_KEY_MARK = bytes(4)
"""In front of values that a data key has encrypted; no key id of a vault begins with it."""


class DecryptionError(Exception):
    """A value cannot be decrypted: it was changed, moved to another row, or its key is unknown."""


class KeyDestroyedError(DecryptionError):
    """The data key of a value was destroyed, so the value cannot be read any more."""


class KeyWrapper(Protocol):
    """Encrypts data keys: the vault of a service, or the encryption of the console."""

    def seal(self, plain: bytes, place: str) -> bytes:
        """Encrypt for a place; decryption needs the same one."""

    def open(self, sealed: bytes, place: str) -> bytes:
        """Decrypt. Raises DecryptionError."""


@dataclass(frozen=True, slots=True)
class DataKey:
    """A key of 32 bytes under its id, which is that of the request or file it belongs to."""

    id: str
    secret: bytes = field(repr=False)

    @classmethod
    def generate(cls, key_id: str) -> "DataKey":
        """Return a new random key."""
        return cls(key_id, os.urandom(KEY_BYTES))

    def seal(self, plain: bytes, place: str) -> bytes:
        """Encrypt for a place, such as ``request.personal:<id>``: AES-256-GCM with a random nonce in front."""
        nonce = os.urandom(_NONCE_BYTES)
        return DATA_KEY_MARK + nonce + AESGCM(self.secret).encrypt(nonce, plain, place.encode())

    def open(self, sealed: bytes, place: str) -> bytes:
        """Decrypt a value that :meth:`seal` encrypted for the same place. Raises DecryptionError."""
        start = len(DATA_KEY_MARK) + _NONCE_BYTES
        try:
            return AESGCM(self.secret).decrypt(sealed[len(DATA_KEY_MARK) : start], sealed[start:], place.encode())
        except (InvalidTag, ValueError):  # ValueError: cut off within the nonce
            raise DecryptionError(f"a value of {place.partition(':')[0]} cannot be decrypted") from None

    def derive(self, purpose: str, salt: bytes) -> bytes:
        """Return a key of 32 bytes for another purpose, by HKDF-SHA256."""
        return HKDF(SHA256(), KEY_BYTES, salt, purpose.encode()).derive(self.secret)


def is_sealed_by_data_key(sealed: bytes) -> bool:
    """Tell a value of a data key from one that was encrypted with the wrapper itself, before there were data keys."""
    return sealed.startswith(DATA_KEY_MARK)
