"""Encryption of personal data at rest, and keyed hashes of words for the search index."""

import base64
import hashlib
import hmac
import os
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from desk.security.data_keys import DecryptionError

__all__ = ["DecryptionError", "Encryption", "new_key"]

_NONCE_BYTES, _KEY_BYTES = 12, 32
_INDEX_SHIFT = 1
"""63 bits fit a database's integer. A collision of two words only adds a case to a search result."""


class Encryption:
    """AES-256-GCM with the key's number in front and the context authenticated; HMAC-SHA256 for words."""

    def __init__(self, keys: list[bytes]) -> None:
        """``keys`` of 32 bytes: the first encrypts and hashes words, all decrypt and search."""
        if not keys or any(len(key) != _KEY_BYTES for key in keys):
            raise ValueError("a key has 32 bytes; make one with desk-console new-key")
        self._ciphers = {self._number(key): AESGCM(key) for key in keys}
        self.prefix = self._number(keys[0])
        """What every value begins with that the current key encrypts."""
        self._index_keys = [hmac.digest(key, b"desk.console words", hashlib.sha256) for key in keys]
        self.index_key_id = self.prefix.hex()

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read keys in base64, separated by commas."""
        return cls([base64.b64decode(part.strip(), validate=True) for part in text.split(",")])

    @staticmethod
    def _number(key: bytes) -> bytes:
        return hmac.digest(key, b"desk.console key", hashlib.sha256)[:4]

    def seal(self, plain: bytes, context: str) -> bytes:
        """Encrypt for a context, such as ``case.document:<province>/<code>``; decryption needs the same one."""
        nonce = os.urandom(_NONCE_BYTES)
        return self.prefix + nonce + self._ciphers[self.prefix].encrypt(nonce, plain, context.encode())

    @staticmethod
    def key_of(sealed: bytes) -> str:
        """Return the id of the key that encrypted a value."""
        return sealed[:4].hex()

    def open(self, encrypted: bytes, context: str) -> bytes:
        """Decrypt. Raises DecryptionError."""
        cipher = self._ciphers.get(encrypted[:4])
        if cipher is None:
            raise DecryptionError("its key is not in DESK_CONSOLE_KEYS")
        try:
            return cipher.decrypt(encrypted[4 : 4 + _NONCE_BYTES], encrypted[4 + _NONCE_BYTES :], context.encode())
        except (InvalidTag, ValueError):
            raise DecryptionError(f"{context.partition(':')[0]} cannot be decrypted") from None

    def derive_key(self, purpose: str) -> bytes:
        """Return a key for another purpose, the same in all processes with these keys."""
        return hmac.digest(self._index_keys[-1], f"desk.console {purpose}".encode(), hashlib.sha256)

    def keyed_hashes(self, text: str, purpose: str) -> list[str]:
        """Return the keyed hash of a text under each key, the current one first."""
        return [
            hmac.digest(key, f"desk.console {purpose}\0{text}".encode(), hashlib.sha256).hex()
            for key in self._index_keys
        ]

    def index_word(self, word: str, province: str) -> int:
        """Return the number that represents a word in a province's search index."""
        return self.index_numbers(word, province)[0]

    def index_numbers(self, word: str, province: str) -> list[int]:
        """Return the number of a word under each key, the current one first: a search looks for all of them."""
        digests = (hmac.digest(key, f"{province}\0{word}".encode(), hashlib.sha256) for key in self._index_keys)
        return [int.from_bytes(digest[:8]) >> _INDEX_SHIFT for digest in digests]


def new_key() -> str:
    """Return a new key in the format of the settings."""
    return base64.b64encode(os.urandom(_KEY_BYTES)).decode()
