"""The FastAPI dependency of routes that a client may repeat."""

from typing import Annotated

from fastapi import Depends, Header

from desk.chassis.problem import IdempotencyKeyMissingError

_KEY_MIN, _KEY_MAX = 8, 64


async def _idempotency_key(
    idempotency_key: Annotated[
        str | None, Header(description=f"{_KEY_MIN} to {_KEY_MAX} letters, digits or hyphens, e.g. a UUID")
    ] = None,
) -> str:
    key = idempotency_key or ""
    if not _KEY_MIN <= len(key) <= _KEY_MAX or not key.isascii() or not key.replace("-", "").isalnum():
        raise IdempotencyKeyMissingError
    return key


IdempotencyKey = Annotated[str, Depends(_idempotency_key)]
"""The Idempotency-Key header. Raises IdempotencyKeyMissingError."""
