"""Calls to Redis with a timeout, which never leave a reply on a connection for the next caller."""

from collections.abc import Awaitable
from typing import TypeVar

from redis.asyncio import Redis

from desk.chassis.problem import ServiceUnavailableError
from desk.chassis.redis_pool import redis_pool
from desk.security import rate_limits

T = TypeVar("T")


def connect(url: str, connections: int = 20) -> Redis:
    """Return a client with bounded connections and timeouts. It connects when first used.

    ``url`` is an address that :func:`redis_pool` accepts. Raises ValueError for any other address.
    """
    return Redis.from_pool(redis_pool(url, connections))


async def within_time(call: Awaitable[T]) -> T:
    """Await a call to Redis for at most two seconds. Raises ServiceUnavailableError if Redis is unavailable or slow."""
    try:
        return await rate_limits.within_time(call)
    except rate_limits.CountersUnavailableError as error:
        raise ServiceUnavailableError(str(error)) from error
