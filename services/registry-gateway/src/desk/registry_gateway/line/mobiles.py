"""The register of mobiles as the door sees it; what it does not say is unknown."""

from desk.iran.national_id import NationalId
from desk.iran.phone import Mobile
from desk.registry_gateway.adapters import MobileRegistry
from desk.registry_gateway.domain import MobileOwner, UnansweredError
from desk.registry_gateway.line.call import Line


class MobileLine:
    """Asks whether a mobile belongs to a national ID."""

    def __init__(self, registry: MobileRegistry, line: Line) -> None:
        self._registry = registry
        self._line = line

    async def owner(self, national_id: NationalId, mobile: Mobile) -> MobileOwner:
        """Ask; an answer that does not come is no mismatch."""
        try:
            return await self._line.call(lambda: self._registry.owner(national_id, mobile))
        except UnansweredError:  # counted and logged by the line
            return MobileOwner.UNKNOWN

    async def close(self) -> None:
        """Return the connections back."""
        await self._registry.close()
