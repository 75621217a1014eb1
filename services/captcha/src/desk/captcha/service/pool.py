"""Makes challenges in advance, because drawing and speaking take too much CPU for a request."""

import asyncio
import math
import random
import secrets
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

import structlog

from desk.captcha.domain import CaptchaUnavailableError, Kind
from desk.captcha.store import PoolStore

log = structlog.get_logger(__name__)

SEED_BITS = 128
BATCH = 4
"""Challenges made before the pool's length is known again, so that replicas do not all make the same missing ones."""
COUNT_SECONDS = 0.5
"""How often pools are counted at most. Each challenge that is taken or added says how many are left in its pool."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How challenges of one kind are made, and the size of their pool."""

    make: Callable[[str, random.Random], bytes]
    """Turns an answer into an image or a sound. Runs in a thread."""
    size: int


class Pool:
    """Fills the pools of all kinds."""

    def __init__(self, store: PoolStore, recipes: Mapping[Kind, Recipe], choose_answer: Callable[[], str]) -> None:
        self._store = store
        self._recipes = recipes
        self._choose_answer = choose_answer
        self._filled = asyncio.Condition()
        self._ready = dict.fromkeys(recipes, 0)
        self._counted_at = -math.inf
        self._completely = False
        self.after_use: list[Callable[[], None]] = []
        """Called when challenges are needed: hints to call :meth:`fill` soon."""

    @property
    def ready(self) -> Mapping[Kind, int]:
        """The number of challenges of each kind when they were last counted."""
        return self._ready

    def taken(self, kind: Kind, left: int) -> None:
        """Report that a challenge was taken and how many are left; the pool is filled once a batch is missing."""
        self._ready[kind] = left
        if self._missing(kind) >= BATCH:
            self._notify()

    def request_fill(self) -> None:
        """Report that challenges may be missing, so that the pools are counted and filled."""
        self._counted_at = -math.inf
        self._notify()

    def _notify(self) -> None:
        for notify in self.after_use:
            notify()

    async def wait_until_filled(self, seconds: float) -> None:
        """Wait until this replica has added challenges, at most ``seconds``."""
        self.request_fill()
        async with self._filled:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._filled.wait()

    async def fill(self) -> bool:
        """Add up to a batch to each pool that needs it; return whether one needs more.

        After a count a pool is filled completely, and between counts as soon as a batch is missing.
        """
        try:
            if time.monotonic() - self._counted_at >= COUNT_SECONDS:
                await self._count()
            least = 1 if self._completely else BATCH
            more = any([await self._fill_kind(kind, least) for kind in self._recipes])
        except CaptchaUnavailableError as error:  # the next call retries
            log.warning("pool not filled", reason=str(error))
            self._counted_at = -math.inf
            return False
        self._completely = self._completely and more
        return more

    async def _count(self) -> None:
        for kind in self._recipes:
            self._ready[kind] = await self._store.count(kind)
        self._counted_at, self._completely = time.monotonic(), True

    async def _fill_kind(self, kind: Kind, least: int) -> bool:
        recipe, missing = self._recipes[kind], self._missing(kind)
        if missing < least:
            return False
        made = await asyncio.to_thread(self._make, recipe, min(missing, BATCH))
        self._ready[kind] = await self._store.add(kind, recipe.size, made)
        async with self._filled:
            self._filled.notify_all()
        return self._missing(kind) >= least

    def _missing(self, kind: Kind) -> int:
        return self._recipes[kind].size - self._ready[kind]

    def _make(self, recipe: Recipe, count: int) -> list[bytes]:
        chance = random.Random(secrets.randbits(SEED_BITS))  # noqa: S311  # nosec B311 - for drawing only
        answers = [self._choose_answer() for _ in range(count)]
        return [answer.encode() + b":" + recipe.make(answer, chance) for answer in answers]
