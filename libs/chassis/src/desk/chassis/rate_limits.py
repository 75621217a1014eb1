"""Rate limits: moving-window counters per source, number or identity, in Redis or in the process."""

import math
import time
from typing import Annotated, Any

from limits import RateLimitItem, parse
from limits.aio.storage import MemoryStorage, RedisStorage, Storage
from limits.aio.strategies import MovingWindowRateLimiter
from pydantic import AfterValidator

from desk.chassis.problem import RateLimitExceededError
from desk.chassis.redis_pool import redis_pool

MAX_CONNECTIONS = 100


def _readable(limit: str) -> str:
    parse(limit)
    return limit


RateLimitText = Annotated[str, AfterValidator(_readable)]
"""A rate limit as a setting, such as ``5/10 minutes``. Text that cannot be parsed stops the service at its start."""


class RateLimits:
    """Moving-window rate limits, such as ``5/10 minutes``, each under a name and counted per key."""

    def __init__(self, url: str) -> None:
        """``url`` is ``memory://`` or an address that :func:`redis_pool` accepts."""
        self._pool = None if url.startswith("memory") else redis_pool(url, MAX_CONNECTIONS)
        self._storage: Storage = MemoryStorage() if self._pool is None else _redis_storage(self._pool)
        self._limiter = MovingWindowRateLimiter(self._storage)

    async def reserve(self, limit: str, name: str, key: str) -> None:
        """Count one attempt of ``key`` before it is made.

        Raises RateLimitExceededError, with the seconds until the next attempt is allowed, and counts nothing then.
        """
        item = parse(limit)
        if not await self._limiter.hit(item, name, key):
            raise await self._exceeded(item, name, key)

    async def require_available(self, limit: str, name: str, key: str) -> None:
        """Raise RateLimitExceededError if ``key`` has used up its limit. Counts nothing."""
        item = parse(limit)
        if not await self._limiter.test(item, name, key):
            raise await self._exceeded(item, name, key)

    async def close(self) -> None:
        """Close the connections to Redis."""
        if self._pool is not None:
            await self._pool.disconnect()

    async def _exceeded(self, item: RateLimitItem, name: str, key: str) -> RateLimitExceededError:
        window = await self._limiter.get_window_stats(item, name, key)
        return RateLimitExceededError(f"{name} {item}", retry_after=max(1, math.ceil(window.reset_time - time.time())))


def _redis_storage(pool: Any) -> RedisStorage:
    return RedisStorage("async+redis://", implementation="redispy", key_prefix="budget", connection_pool=pool)
