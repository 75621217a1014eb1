"""A circuit breaker: stops calls to a registry that fails, so that applicants do not wait for a timeout."""

import time
from collections.abc import Callable


class CircuitBreaker:
    """Opens after a number of failures in a row. After a pause it allows one call, whose result decides."""

    def __init__(self, failures: int, pause_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = failures
        self._pause = pause_seconds
        self._clock = clock
        self._failures = 0
        self._open_since: float | None = None
        self._probing = False

    @property
    def closed(self) -> bool:
        """Whether all calls are allowed."""
        return self._open_since is None

    def allow_call(self) -> bool:
        """Return whether a call may be made now. The caller must then report its result."""
        if self._open_since is None:
            return True
        if self._probing or self._clock() - self._open_since < self._pause:
            return False
        self._probing = True
        return True

    @property
    def would_allow_call(self) -> bool:
        """Whether :meth:`allow_call` would return True; does not use up the one call after the pause."""
        return self._open_since is None or (not self._probing and self._clock() - self._open_since >= self._pause)

    def record_success(self) -> None:
        """Report that the registry answered."""
        self._failures, self._open_since, self._probing = 0, None, False

    def record_failure(self) -> None:
        """Report that the registry did not answer."""
        self._failures += 1
        if self._probing or self._failures >= self._limit:
            self.open()

    def open(self) -> None:
        """Open now, because further calls would fail too."""
        self._open_since, self._probing = self._clock(), False

    def release(self) -> None:
        """Report a call whose end does not show whether the registry works."""
        self._probing = False
