"""Limits of what one identity, one recipient and one source may cause in a day."""

from dataclasses import dataclass

from desk.chassis.crypto import Vault
from desk.chassis.rate_limits import Attempt, RateLimits, Reservation, source_network
from desk.intake.domain import IdentityState, Request


@dataclass(frozen=True, slots=True)
class SubmissionLimits:
    """Reserves a submission under all of its limits. Each limit is a text such as ``5/day``."""

    rate_limits: RateLimits
    vault: Vault
    per_identity: str
    per_mobile: str
    per_email: str
    per_source: str
    pending_per_source: str
    per_office: str

    async def reserve(self, request: Request, source: str) -> Reservation:
        """Count a submission before it is stored. Raises RateLimitExceededError or ServiceUnavailableError.

        Requests of an unconfirmed identity are counted apart from those of the confirmed one: a person who invents
        requests for a number while the registry is closed does not use up the limit of its owner.
        """
        source_key = self._index(source_network(source))
        attempts = [*self._of_people(request), Attempt(self.per_source, "requests_of_source", source_key)]
        if request.identity is not IdentityState.KNOWN:
            attempts.append(Attempt(self.pending_per_source, "pending_of_source", source_key))
        return await self.rate_limits.reserve_all(*attempts)

    async def reserve_for_office(self, request: Request, office: str) -> Reservation:
        """Count a request that an office registers before it is stored. Raises as :meth:`reserve` does."""
        return await self.rate_limits.reserve_all(
            *self._of_people(request), Attempt(self.per_office, "requests_of_office", office)
        )

    def _of_people(self, request: Request) -> list[Attempt]:
        """Return the limits of the identity and of those who get notices."""
        kind = "requests" if request.identity is IdentityState.KNOWN else "requests_pending"
        attempts = [Attempt(self.per_identity, kind, self._index(request.applicant.national_id))]
        if request.contact.mobile:
            attempts.append(Attempt(self.per_mobile, "requests_of_mobile", self._index(request.contact.mobile)))
        if request.contact.email is not None:
            attempts.append(Attempt(self.per_email, "requests_of_email", self._index(request.contact.email.lower())))
        return attempts

    async def release(self, reservation: Reservation) -> None:
        """Take back a submission that was not stored. Raises ServiceUnavailableError."""
        await self.rate_limits.release(reservation)

    def _index(self, value: str) -> str:
        return self.vault.index(value, "limits")
