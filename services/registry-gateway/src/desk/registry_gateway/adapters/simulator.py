"""A registry of synthetic persons in this process, for the embedded desk, demonstrations and tests."""

from desk.iran.jalali import JalaliDate
from desk.iran.national_id import NationalId
from desk.iran.phone import Mobile
from desk.registry_gateway.adapters.people import Person, mobile_of, people
from desk.registry_gateway.domain import Deceased, Matched, MobileOwner, NotMatched, Verdict

__all__ = ["Person", "SimulatedRegistry", "people"]


class SimulatedRegistry:
    """Contains :func:`people`, and is always available."""

    def __init__(self) -> None:
        self._people = {person.identity.national_id: person for person in people()}

    async def look_up(self, national_id: NationalId, birth_date: JalaliDate) -> Verdict:
        """Look a synthetic person up."""
        person = self._people.get(national_id)
        if person is None or person.identity.birth_date != birth_date:
            return NotMatched()
        return Deceased() if person.deceased else Matched(person.identity)

    async def owner(self, national_id: NationalId, mobile: Mobile) -> MobileOwner:
        """Compare a mobile with the synthetic person's."""
        if national_id not in self._people:
            return MobileOwner.UNKNOWN
        return MobileOwner.MATCH if mobile == mobile_of(national_id) else MobileOwner.MISMATCH

    async def close(self) -> None:
        """Do nothing: no connection is open."""
