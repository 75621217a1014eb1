"""Limits the verdicts about one number: an attacker learns no more birth dates by pending requests than by look-ups."""

from dataclasses import dataclass
from datetime import UTC, datetime

from desk.chassis.problem import RateLimitExceededError
from desk.chassis.rate_limits import RateLimits, Reservation
from desk.registry_gateway.domain import Reason, Unavailable
from desk.registry_gateway.upstream.hours import next_day


@dataclass(frozen=True, slots=True)
class VerdictLimit:
    """Counts mismatches of a number, whether an applicant looks it up or a pending request is confirmed later."""

    rate_limits: RateLimits
    per_number: str
    """Such as ``10/day``."""

    async def reserve(self, number_index: str) -> Reservation | Unavailable:
        """Count a mismatch before the look-up; call :meth:`release` if the result is none.

        If the limit is used up, the registry is not asked, and the result is the one of an exhausted daily quota.
        Raises ServiceUnavailableError if Redis is unavailable.
        """
        try:
            return await self.rate_limits.reserve(self.per_number, "verdicts", number_index)
        except RateLimitExceededError:
            return Unavailable(Reason.QUOTA, next_day(datetime.now(UTC)))

    async def release(self, reservation: Reservation) -> None:
        """Take back a look-up that was not a mismatch. Raises ServiceUnavailableError."""
        await self.rate_limits.release(reservation)
