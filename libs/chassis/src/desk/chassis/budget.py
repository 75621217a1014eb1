"""How often something may be tried: counters per source, number or whatever else, in Redis or in the process."""

import math
import time
from typing import Annotated, cast

from limits import RateLimitItem, parse
from limits.aio.storage import MemoryStorage, RedisStorage, Storage
from limits.aio.storage.redis.redispy import RedispyBridge
from limits.aio.strategies import MovingWindowRateLimiter
from pydantic import AfterValidator
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from desk.chassis.problem import BudgetExhaustedError

_TIMEOUT_SECONDS = 1.0


def _readable(budget: str) -> str:
    parse(budget)
    return budget


BudgetText = Annotated[str, AfterValidator(_readable)]
"""A budget as a setting, such as ``5/10 minutes``: refused at the start if the counters could not read it."""


class Budgets:
    """Moving-window budgets, such as ``5/10 minutes``, each under a name and spent by keys."""

    def __init__(self, url: str) -> None:
        """``url`` is ``memory://`` or ``redis://…``."""
        self._storage: Storage = MemoryStorage() if url.startswith("memory") else _redis(url)
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
        if isinstance(self._storage, RedisStorage) and isinstance(self._storage.bridge, RedispyBridge):
            await cast("Redis", self._storage.bridge.get_connection()).aclose()

    async def _exhausted(self, item: RateLimitItem, name: str, key: str) -> BudgetExhaustedError:
        window = await self._limiter.get_window_stats(item, name, key)
        return BudgetExhaustedError(f"{name} {item}", retry_after=max(1, math.ceil(window.reset_time - time.time())))


def _redis(url: str) -> RedisStorage:
    return RedisStorage(
        f"async+{url}",
        implementation="redispy",
        key_prefix="budget",
        socket_timeout=_TIMEOUT_SECONDS,
        socket_connect_timeout=_TIMEOUT_SECONDS,
        retry=Retry(NoBackoff(), 1),  # type: ignore[arg-type]  # once, for a connection that died while it lay idle
    )
