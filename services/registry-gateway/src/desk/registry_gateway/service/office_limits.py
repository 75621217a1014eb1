"""Limits the look-ups of an office, which an expert makes for a person at the counter or on the telephone."""

from dataclasses import dataclass

from desk.chassis.rate_limits import Attempt, RateLimits, Reservation


@dataclass(frozen=True, slots=True)
class OfficeLimits:
    """Each limit is a text such as ``300/hour``. A look-up counts as a mismatch until it is released."""

    rate_limits: RateLimits
    lookups_per_office: str
    mismatches_per_office: str
    lookups_of_service: str

    async def reserve(self, office: str) -> Reservation:
        """Count a look-up of an office before it is made; call :meth:`release` unless it is a mismatch.

        Raises RateLimitExceededError or ServiceUnavailableError.
        """
        counted = await self.rate_limits.reserve_all(
            Attempt(self.mismatches_per_office, "mismatches_per_office", office),
            Attempt(self.lookups_per_office, "lookups_per_office", office),
            Attempt(self.lookups_of_service, "lookups_of_service", "all"),
        )
        return counted.only("mismatches_per_office")

    async def release(self, reservation: Reservation) -> None:
        """Take back a mismatch that was none. Raises ServiceUnavailableError."""
        await self.rate_limits.release(reservation)
