"""Makes challenges in advance, because drawing and speaking take too much CPU for a request."""

import asyncio
import random
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

import structlog

from desk.captcha.domain import CaptchaUnavailableError, Kind
from desk.captcha.store import PoolStore

log = structlog.get_logger(__name__)

SEED_BITS = 128
BATCH = 4
"""Challenges made before the pool is counted again, so that several replicas do not all make the same missing ones."""


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
        self.after_use: list[Callable[[], None]] = []
        """Called when challenges are needed: hints to call :meth:`fill` soon."""

    @property
    def ready(self) -> Mapping[Kind, int]:
        """The number of challenges of each kind when they were last counted."""
        return self._ready

    def taken(self, kind: Kind, left: int) -> None:
        """Report that a challenge was taken and how many are left; the pool is filled once a batch is missing."""
        self._ready[kind] = left
        if left <= self._recipes[kind].size - BATCH:
            self.request_fill()

    def request_fill(self) -> None:
        """Report that challenges are needed."""
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
        """Add up to a batch of each kind; return whether some are still missing."""
        try:
            return any([await self._fill_kind(kind) for kind in self._recipes])
        except CaptchaUnavailableError as error:  # the next call retries
            log.warning("pool not filled", reason=str(error))
            return False

    async def _fill_kind(self, kind: Kind) -> bool:
        recipe = self._recipes[kind]
        self._ready[kind] = await self._store.count(kind)
        missing = recipe.size - self._ready[kind]
        if missing <= 0:
            return False
        made = await asyncio.to_thread(self._make, recipe, min(missing, BATCH))
        self._ready[kind] = await self._store.add(kind, recipe.size, made)
        async with self._filled:
            self._filled.notify_all()
        return self._ready[kind] < recipe.size

    def _make(self, recipe: Recipe, count: int) -> list[bytes]:
        chance = random.Random(secrets.randbits(SEED_BITS))  # noqa: S311  # nosec B311 - for drawing only
        answers = [self._choose_answer() for _ in range(count)]
        return [answer.encode() + b":" + recipe.make(answer, chance) for answer in answers]
