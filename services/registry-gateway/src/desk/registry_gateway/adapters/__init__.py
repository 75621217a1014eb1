"""The ways to ask the civil registry, one file each, behind one protocol."""

from typing import Protocol

from desk.iran.jalali import JalaliDate
from desk.iran.national_id import NationalId
from desk.iran.phone import Mobile
from desk.registry_gateway.domain import MobileOwner, Verdict


class Registry(Protocol):
    """Answers whether a number and a birth date belong together, and to whom."""

    async def look_up(self, national_id: NationalId, birth_date: JalaliDate) -> Verdict:
        """Ask the registry once. Raises UnansweredError; whoever calls bounds the time."""

    async def close(self) -> None:
        """Return the connections back."""


class MobileRegistry(Protocol):
    """Answers whether a mobile was registered with a national ID."""

    async def owner(self, national_id: NationalId, mobile: Mobile) -> MobileOwner:
        """Ask once. Raises UnansweredError; whoever calls bounds the time."""

    async def close(self) -> None:
        """Return the connections back."""
