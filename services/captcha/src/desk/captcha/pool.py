"""Challenges made ahead of need: a bounded list in Redis for each kind, that all replicas fill and take from."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

import structlog
from redis.asyncio import Redis

from desk.captcha.domain import CaptchaUnavailableError, Kind
from desk.captcha.store import in_time, pool_key

log = structlog.get_logger(__name__)

LIFE_SECONDS = 3600
"""How long a pool outlives the last replica that looked after it."""

LOOK_SECONDS = 1.0
"""How often a full pool is looked at: another replica may have emptied it."""

BATCH = 4
"""How many are made between two looks, so that of several replicas none makes many for nothing."""

# Several replicas push at once and none of them overfills: whoever comes too late throws its own away.
_PUSH = """
local room = tonumber(ARGV[1]) - redis.call('LLEN', KEYS[1])
for number = 3, math.min(#ARGV, room + 2) do redis.call('RPUSH', KEYS[1], ARGV[number]) end
redis.call('EXPIRE', KEYS[1], ARGV[2])
return redis.call('LLEN', KEYS[1])
"""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one kind of challenge is made, and how many of it are kept ready."""

    make: Callable[[str, random.Random], bytes]
    """Turns an answer into what a person sees or hears. Runs in a thread."""
    size: int


class Pool:
    """Fills the pools of all kinds; taking from them is one step with issuing, so it is the store's."""

    def __init__(self, redis: Redis, recipes: Mapping[Kind, Recipe], choose_answer: Callable[[], str]) -> None:
        self._redis = redis
        self._recipes = recipes
        self._choose_answer = choose_answer
        self._push = redis.register_script(_PUSH)
        self._chance = random.SystemRandom()
        self._wanted = asyncio.Event()
        self._arrived = asyncio.Condition()
        self._ready = dict.fromkeys(recipes, 0)

    @property
    def ready(self) -> Mapping[Kind, int]:
        """How many there were of each kind at the last look."""
        return self._ready

    async def fill(self) -> None:
        """Make what is missing for ever, resting while nothing is."""
        while True:
            self._wanted.clear()
            if not await self._make_some_of_each():
                await _first(self._wanted.wait(), LOOK_SECONDS)

    def tell_of_use(self) -> None:
        """Let the filling begin before its next look."""
        self._wanted.set()

    async def arrival(self, seconds: float) -> None:
        """Wait until this replica has made some more, or for so many seconds."""
        self._wanted.set()
        async with self._arrived:
            await _first(self._arrived.wait(), seconds)

    async def _make_some_of_each(self) -> bool:
        try:
            return any([await self._make_some(kind) for kind in self._recipes])
        except CaptchaUnavailableError as error:  # Redis will be back, and then nobody should wait long
            log.warning("pool not filled", reason=str(error))
            return False

    async def _make_some(self, kind: Kind) -> bool:
        """Make up to a batch of one kind; tell whether any was missing."""
        recipe = self._recipes[kind]
        missing = recipe.size - await self._count(kind)
        if missing <= 0:
            return False
        made = [await asyncio.to_thread(self._make, recipe) for _ in range(min(missing, BATCH))]
        await self._put(kind, made)
        async with self._arrived:
            self._arrived.notify_all()
        return True

    def _make(self, recipe: Recipe) -> bytes:
        answer = self._choose_answer()
        return answer.encode() + b":" + recipe.make(answer, self._chance)

    async def _count(self, kind: Kind) -> int:
        """Count the ready ones and keep their pool alive."""
        steps = self._redis.pipeline(transaction=False)
        steps.llen(pool_key(kind))
        steps.expire(pool_key(kind), LIFE_SECONDS)
        count, _ = await in_time(steps.execute())
        self._ready[kind] = int(count)
        return self._ready[kind]

    async def _put(self, kind: Kind, made: Sequence[bytes]) -> None:
        arguments: list[bytes | int] = [self._recipes[kind].size, LIFE_SECONDS, *made]
        self._ready[kind] = int(await in_time(self._push(keys=[pool_key(kind)], args=arguments)))


async def _first(event: Awaitable[object], seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event
