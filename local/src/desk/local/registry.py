"""The embedded civil registry, which can be switched off to show how the desk works without it."""

from desk.iran.jalali import JalaliDate
from desk.iran.national_id import NationalId
from desk.registry_gateway.adapters import Registry
from desk.registry_gateway.domain import FailureKind, UnansweredError, Verdict


class SwitchedRegistry:
    """Passes look-ups on while it is switched on."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self.answers = True

    async def look_up(self, national_id: NationalId, birth_date: JalaliDate) -> Verdict:
        """Look a person up. Raises UnansweredError while it is switched off."""
        if not self.answers:
            raise UnansweredError(FailureKind.DOWN, "switched off in the demonstration")
        return await self._registry.look_up(national_id, birth_date)

    async def close(self) -> None:
        """Close the registry."""
        await self._registry.close()
