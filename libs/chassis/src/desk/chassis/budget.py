"""How often something may be tried: counters per source, number or whatever else, in Redis or in the process."""

import math
import time
from typing import Annotated, Any

from limits import RateLimitItem, parse
from limits.aio.storage import MemoryStorage, RedisStorage, Storage
from limits.aio.strategies import MovingWindowRateLimiter
from pydantic import AfterValidator

from desk.chassis.problem import BudgetExhaustedError
from desk.chassis.redis_pool import redis_pool

MAX_CONNECTIONS = 100


def _readable(budget: str) -> str:
    parse(budget)
    return budget


BudgetText = Annotated[str, AfterValidator(_readable)]
"""A budget as a setting, such as ``5/10 minutes``: refused at the start if the counters could not read it."""


class Budgets:
    """Moving-window budgets, such as ``5/10 minutes``, each under a name and spent by keys."""

    def __init__(self, url: str) -> None:
        """``url`` is ``memory://`` or what :func:`redis_pool` reads."""
        self._pool = None if url.startswith("memory") else redis_pool(url, MAX_CONNECTIONS)
        self._storage: Storage = MemoryStorage() if self._pool is None else _counters(self._pool)
        self._limiter = MovingWindowRateLimiter(self._storage)

    async def spend(self, budget: str, name: str, key: str) -> None:
        """Take one from ``key``'s budget. Raises BudgetExhaustedError, with the seconds until there is one again."""
        item = parse(budget)
        if not await self._limiter.hit(item, name, key):
            raise await self._exhausted(item, name, key)

    async def demand(self, budget: str, name: str, key: str) -> None:
        """Raise BudgetExhaustedError if ``key`` has none left, without taking any."""
        item = parse(budget)
        if not await self._limiter.test(item, name, key):
            raise await self._exhausted(item, name, key)

    async def close(self) -> None:
        """Give the connections back."""
        if self._pool is not None:
            await self._pool.disconnect()

    async def _exhausted(self, item: RateLimitItem, name: str, key: str) -> BudgetExhaustedError:
        window = await self._limiter.get_window_stats(item, name, key)
        return BudgetExhaustedError(f"{name} {item}", retry_after=max(1, math.ceil(window.reset_time - time.time())))


def _counters(pool: Any) -> RedisStorage:
    return RedisStorage("async+redis://", implementation="redispy", key_prefix="budget", connection_pool=pool)
