"""The rate limits of :mod:`desk.security.rate_limits`, with the errors that callers of the desk see."""

from collections.abc import Awaitable
from typing import Annotated, TypeVar

from pydantic import AfterValidator
from redis.asyncio import Redis

from desk.chassis.problem import ProofRequiredError, RateLimitExceededError, ServiceUnavailableError
from desk.chassis.redis import connect
from desk.chassis.telemetry import Telemetry
from desk.security import rate_limits
from desk.security.rate_limits import Attempt, Reservation, require_readable, source_network

__all__ = ["Attempt", "RateLimitText", "RateLimits", "Reservation", "source_network"]

MAX_CONNECTIONS = 100

T = TypeVar("T")

RateLimitText = Annotated[str, AfterValidator(require_readable)]
"""A rate limit as a setting, such as ``5/10 minutes``. Text that cannot be parsed stops the service at its start."""


class RateLimits:
    """Moving-window rate limits, such as ``5/10 minutes``, each under a name and counted per key."""

    def __init__(self, store: str | Redis, namespace: str = "", telemetry: Telemetry | None = None) -> None:
        """``store`` is a client, ``memory://`` or an address that :func:`desk.chassis.redis.connect` accepts.

        A client is closed by its owner. ``namespace`` begins every key in Redis. ``telemetry`` counts what is refused.
        """
        self._telemetry = telemetry
        self._redis: Redis | None = None
        if not isinstance(store, Redis) and not store.startswith("memory"):
            self._redis = connect(store, MAX_CONNECTIONS)
        self._limits = rate_limits.RateLimits(store if isinstance(store, Redis) else self._redis, namespace)

    async def reserve(self, limit: str, name: str, key: str) -> Reservation:
        """Count one attempt of ``key`` before it is made. Raises as :meth:`reserve_all` does."""
        return await self.reserve_all(Attempt(limit, name, key))

    async def reserve_all(self, *attempts: Attempt, level: int = 0, waits: bool = False) -> Reservation:
        """Count an attempt under all of its limits, or under none, before it is made.

        ``level`` is that of the caller's proof of work, 0 without one. A caller with ``waits`` may try again instead of
        asking for a proof; it calls :meth:`count_proof` if it asks. Raises RateLimitExceededError, with the seconds
        until the next attempt is allowed, ProofRequiredError with the level that is needed, or
        ServiceUnavailableError if Redis is unavailable. Then nothing is counted.
        """
        return await self._translated(self._limits.reserve(*attempts, level=level), waits=waits)

    def count_proof(self, error: ProofRequiredError) -> None:
        """Count in the metrics that a proof of work is required."""
        if self._telemetry is not None:
            self._telemetry.proofs.labels(error.limit, str(error.level)).inc()

    async def release(self, reservation: Reservation) -> None:
        """Take back an attempt that does not count. Raises ServiceUnavailableError."""
        await self._translated(self._limits.release(reservation))

    async def require_available(self, limit: str, name: str, key: str) -> None:
        """Raise RateLimitExceededError if ``key`` has used up its limit. Counts nothing."""
        await self._translated(self._limits.require_available(Attempt(limit, name, key)))

    async def close(self) -> None:
        """Close the connections to Redis."""
        if self._redis is not None:
            await self._redis.connection_pool.disconnect()

    async def _translated(self, call: Awaitable[T], *, waits: bool = False) -> T:
        try:
            return await call
        except rate_limits.LimitExceededError as error:
            if self._telemetry is not None:
                self._telemetry.refusals.labels(error.name).inc()
            raise RateLimitExceededError(str(error), retry_after=error.retry_after) from None
        except rate_limits.ProofNeededError as error:
            required = ProofRequiredError(str(error), error.level, limit=error.name)
            if not waits:
                self.count_proof(required)
            raise required from None
        except rate_limits.CountersUnavailableError as error:
            raise ServiceUnavailableError(str(error)) from error
