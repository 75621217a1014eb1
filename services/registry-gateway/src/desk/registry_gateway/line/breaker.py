"""Stops asking a registry that fails, so that applicants need not wait for what will not come."""

import time
from collections.abc import Callable


class Breaker:
    """Opens after some failures in a row; after a pause one call is let through, and decides."""

    def __init__(self, failures: int, pause_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = failures
        self._pause = pause_seconds
        self._clock = clock
        self._failures = 0
        self._open_since: float | None = None
        self._probing = False

    @property
    def closed(self) -> bool:
        """Whether calls are made as usual."""
        return self._open_since is None

    def lets_through(self) -> bool:
        """Return whether a call may be made now; whoever is told so reports its end."""
        if self._open_since is None:
            return True
        if self._probing or self._clock() - self._open_since < self._pause:
            return False
        self._probing = True
        return True

    @property
    def would_let_through(self) -> bool:
        """Return the same without taking the one call that decides."""
        return self._open_since is None or (not self._probing and self._clock() - self._open_since >= self._pause)

    def succeeded(self) -> None:
        """Report an answer, whatever it said."""
        self._failures, self._open_since, self._probing = 0, None, False

    def failed(self) -> None:
        """Report a call without an answer."""
        self._failures += 1
        if self._probing or self._failures >= self._most:
            self.trip()

    def trip(self) -> None:
        """Open now: the registry has said that more calls are of no use."""
        self._open_since, self._probing = self._clock(), False

    def released(self) -> None:
        """Report a call that ended without telling anything about the registry."""
        self._probing = False
