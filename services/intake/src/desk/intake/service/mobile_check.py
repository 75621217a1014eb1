"""Checks that a mobile belongs to the applicant, where the desk is connected to the register of mobiles (Shahkar)."""

from dataclasses import dataclass

from desk.chassis.crypto import Vault
from desk.chassis.rate_limits import RateLimits
from desk.intake.clients import RegistryClient
from desk.intake.domain import MobileMismatchError, is_foreign


@dataclass(frozen=True, slots=True)
class MobileCheck:
    """Checks the owner of a mobile during submission. The register knows Iranian numbers and national IDs only."""

    registry: RegistryClient
    rate_limits: RateLimits
    vault: Vault
    per_identity: str
    """The rate limit of one national ID, such as ``10/hour``."""

    async def require_owner(self, national_id: str, mobile: str) -> None:
        """Raise MobileMismatchError if the number surely belongs to another person, or RateLimitExceededError.

        An unknown owner or an unavailable register does not stop a submission.
        """
        if is_foreign(national_id) or not mobile.startswith("+98"):
            return
        await self.rate_limits.reserve(
            self.per_identity, "mobile_checks", self.vault.index(national_id, "mobile_checks")
        )
        if await self.registry.has_other_owner(national_id, mobile):
            raise MobileMismatchError
