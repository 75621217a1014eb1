"""The client of the register of mobiles."""

from desk.iran.national_id import NationalId
from desk.iran.phone import Mobile
from desk.registry_gateway.adapters import MobileRegistry
from desk.registry_gateway.domain import MobileOwner, UnansweredError
from desk.registry_gateway.upstream.client import ResilientClient


class MobileClient:
    """Checks whether a mobile belongs to a national ID."""

    def __init__(self, registry: MobileRegistry, client: ResilientClient) -> None:
        self._registry = registry
        self._client = client

    async def check_owner(self, national_id: NationalId, mobile: Mobile) -> MobileOwner:
        """Ask the register; return UNKNOWN if it does not answer."""
        try:
            return await self._client.call(lambda: self._registry.owner(national_id, mobile))
        except UnansweredError:  # counted and logged by the client
            return MobileOwner.UNKNOWN

    async def close(self) -> None:
        """Close the connections."""
        await self._registry.close()
