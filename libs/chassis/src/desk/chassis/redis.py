"""Calls to Redis with a timeout, which never leave a reply on a connection for the next caller."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from redis.asyncio import Redis
from redis.exceptions import RedisError

from desk.chassis.problem import ServiceUnavailableError
from desk.chassis.redis_pool import redis_pool

CALL_SECONDS = 2.0

T = TypeVar("T")
_running: set[object] = set()


def connect(url: str, connections: int = 20) -> Redis:
    """Return a client with bounded connections and timeouts. It connects when first used.

    ``url`` is an address that :func:`redis_pool` accepts. Raises ValueError for any other address.
    """
    return Redis.from_pool(redis_pool(url, connections))


async def within_time(call: Awaitable[T]) -> T:
    """Await a call to Redis for at most two seconds. Raises ServiceUnavailableError if Redis is unavailable or slow.

    The call itself is shielded: if it were cancelled between command and reply, the next caller on that connection
    could read the reply.
    """
    running = asyncio.ensure_future(call)
    _running.add(running)  # the event loop itself holds tasks only weakly
    running.add_done_callback(_running.discard)
    try:
        async with asyncio.timeout(CALL_SECONDS):
            return await asyncio.shield(running)
    except (RedisError, OSError, TimeoutError) as error:
        raise ServiceUnavailableError(f"redis: {type(error).__name__}") from error
