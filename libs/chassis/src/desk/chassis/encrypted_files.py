"""Encryption of files in frames, streamed in both directions.

Layout: a random salt of 16 bytes, then frames of 64 KiB, each with a tag of 16 bytes after it; the last frame may be
shorter or empty. The frames' key is derived from the file's data key, the salt and the file's id. The nonce of a frame
is its number and whether it is the last one, so a frame that is missing, moved or of another file is detected.
"""

import io
import os
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from desk.security.data_keys import DataKey, DecryptionError

FRAME_BYTES = 64 * 1024
_SALT_BYTES, _TAG_BYTES, _COUNTER_BYTES = 16, 16, 11
_SEALED_FRAME_BYTES = FRAME_BYTES + _TAG_BYTES


def encrypted_size(size: int) -> int:
    """Return how many bytes a file of ``size`` bytes has once it is encrypted."""
    frames = max(1, -(-size // FRAME_BYTES))
    return _SALT_BYTES + size + frames * _TAG_BYTES


def encrypt_file(content: BinaryIO, key: DataKey) -> BinaryIO:
    """Return a reader that encrypts ``content`` with a file's key while it is read."""
    return io.BufferedReader(_EncryptingReader(content, key), _SEALED_FRAME_BYTES)


async def decrypt_file(chunks: AsyncGenerator[bytes, None], key: DataKey) -> AsyncGenerator[bytes, None]:
    """Yield the content of an encrypted file frame by frame.

    Raises DecryptionError before a frame that was changed, is missing, out of order or of another file.
    """
    buffer, number, frames = bytearray(), 0, None
    async with aclosing(chunks):
        async for chunk in chunks:
            buffer += chunk
            if frames is None and len(buffer) >= _SALT_BYTES:
                frames = _Frames(key, bytes(buffer[:_SALT_BYTES]))
                del buffer[:_SALT_BYTES]
            while frames is not None and len(buffer) > _SEALED_FRAME_BYTES:  # so it is not the last one
                yield frames.open(bytes(buffer[:_SEALED_FRAME_BYTES]), number, last=False)
                del buffer[:_SEALED_FRAME_BYTES]
                number += 1
    if frames is None:
        raise DecryptionError("a file is shorter than its salt")
    yield frames.open(bytes(buffer), number, last=True)


class _Frames:
    def __init__(self, key: DataKey, salt: bytes) -> None:
        self._cipher = AESGCM(key.derive(f"file:{key.id}", salt))

    def seal(self, plain: bytes, number: int, *, last: bool) -> bytes:
        return self._cipher.encrypt(_nonce(number, last=last), plain, None)

    def open(self, sealed: bytes, number: int, *, last: bool) -> bytes:
        try:
            return self._cipher.decrypt(_nonce(number, last=last), sealed, None)
        except (InvalidTag, ValueError):
            raise DecryptionError(f"frame {number} of a file cannot be decrypted") from None


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(_COUNTER_BYTES) + bytes([last])


class _EncryptingReader(io.RawIOBase):
    """Encrypts one frame ahead, since only the end of the content tells which frame is the last."""

    def __init__(self, content: BinaryIO, key: DataKey) -> None:
        salt = os.urandom(_SALT_BYTES)
        self._content, self._frames = content, _Frames(key, salt)
        self._ready, self._number = memoryview(salt), 0
        self._next: bytes | None = _read_frame(content)

    def readable(self) -> bool:
        return True

    def readinto(self, target: bytearray | memoryview) -> int:  # type: ignore[override]  # the buffers that io passes
        if not self._ready and self._next is not None:
            self._ready = memoryview(self._seal_next(self._next))
        size = min(len(target), len(self._ready))
        target[:size] = self._ready[:size]
        self._ready = self._ready[size:]
        return size

    def _seal_next(self, plain: bytes) -> bytes:
        following = _read_frame(self._content) if len(plain) == FRAME_BYTES else b""
        sealed = self._frames.seal(plain, self._number, last=not following)
        self._next, self._number = following or None, self._number + 1
        return sealed


def _read_frame(content: BinaryIO) -> bytes:
    """Read a whole frame, or less at the end; a source may return less at a time."""
    parts, missing = [], FRAME_BYTES
    while missing and (part := content.read(missing)):
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)
