"""The ways to ask the civil registry, one file each, behind one protocol."""

from typing import Protocol

from desk.iran.jalali import JalaliDate
from desk.iran.national_id import NationalId
from desk.registry_gateway.domain import Answer


class Registry(Protocol):
    """Answers whether a number and a birth date belong together, and to whom."""

    async def look_up(self, national_id: NationalId, birth_date: JalaliDate) -> Answer:
        """Ask the registry once, within a bounded time. Raises RegistryUnavailableError."""
