"""Limits of guesses at the sign-in: counted before they are evaluated, and then admitted by a proof of work.

No account is locked: beyond the free attempts of an account or an address, each further one needs a proof of work,
whose level doubles work and delay up to a highest one. The right password passes after it.
"""

import hashlib
import hmac
from dataclasses import dataclass

from desk.console.domain.accounts import PER_ACCOUNT, PER_ADDRESS
from desk.console.domain.errors import CountersUnavailableError, ProofRequiredError
from desk.console.service.proofs import Challenge, Proof, Proofs
from desk.security import rate_limits
from desk.security.rate_limits import Attempt, ProofNeededError, RateLimits, Reservation, source_network

SIGN_IN, CODE, ENROL, PASSWORD = "sign-in", "code", "enrol", "password"


@dataclass(frozen=True, slots=True)
class Attempts:
    """Counts attempts, and requires proofs of work."""

    limits: RateLimits
    proofs: Proofs
    key: bytes
    """Hashes user names and addresses, which are not stored in clear."""
    per_account: str = PER_ACCOUNT
    per_address: str = PER_ADDRESS

    async def reserve(self, form: str, account: str, address: str, proof: Proof) -> Reservation:
        """Count an attempt before it is evaluated. Raises ProofRequiredError or CountersUnavailableError."""
        try:
            level = await self.proofs.check(form, proof) if proof.token else 0
            return await self.limits.reserve(*self._attempts(form, account, address), level=level)
        except ProofNeededError as error:
            raise ProofRequiredError(error.level) from None
        except rate_limits.CountersUnavailableError:
            raise CountersUnavailableError from None

    async def release(self, reservation: Reservation) -> None:
        """Take back an attempt that was right. Raises CountersUnavailableError."""
        try:
            await self.limits.release(reservation)
        except rate_limits.CountersUnavailableError:
            raise CountersUnavailableError from None

    async def challenge(self, form: str, account: str, address: str) -> Challenge | None:
        """Return the challenge for the next attempt, or None while attempts are free or Redis is unavailable."""
        try:
            await self.limits.require_available(*self._attempts(form, account, address))
        except ProofNeededError as error:
            return self.proofs.create(form, error.level)
        except rate_limits.CountersUnavailableError:
            return None
        return None

    def _attempts(self, form: str, account: str, address: str) -> list[Attempt]:
        of_address = Attempt(self.per_address, "console-address", self._hash(source_network(address)), proof=True)
        if not account:
            return [of_address]
        return [Attempt(self.per_account, f"console-{form}", self._hash(account), proof=True), of_address]

    def _hash(self, text: str) -> str:
        return hmac.new(self.key, text.encode(), hashlib.sha256).hexdigest()[:32]
