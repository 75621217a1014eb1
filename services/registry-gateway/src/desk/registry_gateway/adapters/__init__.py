"""The protocols of the civil registry and of the register of mobiles; each implementation is one file."""

from typing import Protocol

from desk.iran.jalali import JalaliDate
from desk.iran.national_id import NationalId
from desk.iran.phone import Mobile
from desk.registry_gateway.domain import MobileOwner, Verdict


class Registry(Protocol):
    """Finds the person with a number and a birth date."""

    async def look_up(self, national_id: NationalId, birth_date: JalaliDate) -> Verdict:
        """Ask the registry once. Raises UnansweredError. The caller limits the time."""

    async def close(self) -> None:
        """Close the connections."""


class MobileRegistry(Protocol):
    """Checks whether a mobile was registered with a national ID."""

    async def owner(self, national_id: NationalId, mobile: Mobile) -> MobileOwner:
        """Ask once. Raises UnansweredError. The caller limits the time."""

    async def close(self) -> None:
        """Close the connections."""
