"""Pictures drawn ahead of need, so that issuing a challenge normally draws nothing."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass

from desk.captcha.domain import CaptchaUnavailableError
from desk.captcha.drawing import draw

DRAW_SECONDS = 2.0
DRAWN_AT_ONCE = 2


@dataclass(frozen=True, slots=True)
class Picture:
    """An answer and the PNG that shows it; nobody has seen it yet."""

    answer: str
    png: bytes


class Pictures:
    """A bounded stock of pictures, kept full by :meth:`fill`."""

    def __init__(self, size: int, choose_answer: Callable[[], str]) -> None:
        self._choose_answer = choose_answer
        self._ready: asyncio.Queue[Picture] = asyncio.Queue(size)
        self._drawing = asyncio.Semaphore(DRAWN_AT_ONCE)
        self._chance = random.SystemRandom()

    @property
    def ready(self) -> int:
        """How many are waiting."""
        return self._ready.qsize()

    async def fill(self) -> None:
        """Draw for ever, resting while the stock is full."""
        while True:
            await self._ready.put(await self._draw())

    async def take(self) -> Picture:
        """Return a picture nobody else gets. Raises CaptchaUnavailableError if none can be drawn in time."""
        if not self._ready.empty():
            return self._ready.get_nowait()
        try:
            async with asyncio.timeout(DRAW_SECONDS):
                return await self._draw()
        except TimeoutError as error:
            raise CaptchaUnavailableError("pictures are asked for faster than they are drawn") from error

    async def _draw(self) -> Picture:
        async with self._drawing:
            answer = self._choose_answer()
            return Picture(answer, await asyncio.to_thread(draw, answer, self._chance))
