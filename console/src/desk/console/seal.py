"""Personal data at rest: sealed documents, and keyed words by which they are found."""

import base64
import hashlib
import hmac
import os
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE_BYTES, _KEY_BYTES = 12, 32
_INDEX_SHIFT = 1
"""63 bits: what a database holds as a number. Two words that meet there show a case too many, and no more."""


class DecryptionError(Exception):
    """What is stored was changed or moved, or its key is not among ours."""


class Seal:
    """AES-256-GCM with the key's number in front and the place authenticated; HMAC-SHA256 for words."""

    def __init__(self, keys: list[bytes]) -> None:
        """``keys`` of 32 bytes each: the first one seals, all of them open; words go by the last, which must stay."""
        if not keys or any(len(key) != _KEY_BYTES for key in keys):
            raise ValueError("a key has 32 bytes; make one with desk-console new-key")
        self._ciphers = {self._number(key): AESGCM(key) for key in keys}
        self._current = self._number(keys[0])
        self._index_key = hmac.digest(keys[-1], b"desk.console words", hashlib.sha256)

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read keys in base64, by commas."""
        return cls([base64.b64decode(part.strip(), validate=True) for part in text.split(",")])

    @staticmethod
    def _number(key: bytes) -> bytes:
        return hmac.digest(key, b"desk.console key", hashlib.sha256)[:4]

    def seal(self, plain: bytes, place: str) -> bytes:
        """Encrypt for a place, such as ``case.document:<province>/<code>``."""
        nonce = os.urandom(_NONCE_BYTES)
        return self._current + nonce + self._ciphers[self._current].encrypt(nonce, plain, place.encode())

    def open(self, sealed: bytes, place: str) -> bytes:
        """Decrypt. Raises DecryptionError."""
        cipher = self._ciphers.get(sealed[:4])
        if cipher is None:
            raise DecryptionError("its key is not among DESK_CONSOLE_KEYS")
        try:
            return cipher.decrypt(sealed[4 : 4 + _NONCE_BYTES], sealed[4 + _NONCE_BYTES :], place.encode())
        except (InvalidTag, ValueError):
            raise DecryptionError(f"the seal of {place.partition(':')[0]} is broken") from None

    def word(self, word: str, province: str) -> int:
        """Give what stands for a word in the index of a province."""
        digest = hmac.digest(self._index_key, f"{province}\0{word}".encode(), hashlib.sha256)
        return int.from_bytes(digest[:8]) >> _INDEX_SHIFT


def new_key() -> str:
    """Make a key as settings carry it."""
    return base64.b64encode(os.urandom(_KEY_BYTES)).decode()
