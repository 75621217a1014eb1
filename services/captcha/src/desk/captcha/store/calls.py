"""Calls to Redis, and its keys."""

from collections.abc import Awaitable
from typing import TypeVar

from desk.captcha.domain import CaptchaUnavailableError, Kind
from desk.chassis.problem import ServiceUnavailableError
from desk.chassis.redis import within_time

T = TypeVar("T")


async def limit_time(call: Awaitable[T]) -> T:
    """Await a call to Redis. Raises CaptchaUnavailableError if Redis is unavailable or slow.

    Do not use a pipeline as a context manager here: the call continues if its caller is cancelled, and the context
    manager would return the connection while it is in use. ``execute`` returns it by itself.
    """
    try:
        return await within_time(call)
    except ServiceUnavailableError as error:
        raise CaptchaUnavailableError(str(error)) from error


def pool_key(kind: Kind) -> str:
    """Return the key of a pool. Its number changes with the format, so that old and new replicas can run together."""
    return f"captcha-pool:1:{kind}"
