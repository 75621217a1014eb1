"""Background work that repeats at intervals until the app stops."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import ClassVar


class PeriodicTask:
    """Calls a function again and again, with a pause between calls that can be cut short.

    Any number of replicas may run the same task at once, so the function must lock the rows it works on.
    """

    def __init__(self, run_once: Callable[[], Awaitable[float | None]], pause: float, *, gather: float = 0.0) -> None:
        """``run_once`` returns the seconds until the next call, or None for ``pause`` seconds; 0 means at once.

        After :meth:`wake` the next call waits ``gather`` seconds more, so that one call can serve several wake-ups.
        """
        self._run_once = run_once
        self._pause = pause
        self._gather = gather
        self._wake_up = asyncio.Event()
        self._finishing = False

    @property
    def finishing(self) -> bool:
        """Whether :meth:`finish` was called; long calls return early then."""
        return self._finishing

    def finish(self) -> None:
        """End :meth:`run` after the call that is running."""
        self._finishing = True
        self._wake_up.set()

    def wake(self) -> None:
        """End the current pause. A hint: without it the next call comes after the pause."""
        self._wake_up.set()

    async def run(self) -> None:
        """Call the function until :meth:`finish`. An exception of the function ends this call."""
        await self._wait(self._first_pause())
        while not self._finishing:
            self._wake_up.clear()
            seconds = await self._run_once()
            await self._wait(self._pause if seconds is None else seconds)

    def _first_pause(self) -> float:
        """Return the seconds before the first call."""
        return 0.0

    async def _wait(self, seconds: float) -> None:
        if self._finishing or seconds <= 0:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wake_up.wait()
                if not self._finishing:
                    await asyncio.sleep(self._gather)


class HousekeepingTask(PeriodicTask):
    """A task that can wait, such as the deletion of old rows.

    Its first call comes at a random time in the second half of ``START_SECONDS``: a start has more urgent work, and
    replicas that start together do not call together.
    """

    START_SECONDS: ClassVar = 60.0
    _begun = False

    def _first_pause(self) -> float:
        if self._begun:  # it was restarted after an error
            return 0.0
        self._begun = True
        return random.uniform(self.START_SECONDS / 2, self.START_SECONDS)  # noqa: S311 - no secret
