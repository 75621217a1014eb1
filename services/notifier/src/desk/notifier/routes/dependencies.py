"""The services that the routes use."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from desk.chassis.bus import Bus
from desk.database import Database
from desk.notifier.service import Codes
from desk.notifier.service.texts import Previews
from desk.versions.callers import Editing


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """What ``create_app`` built, in ``app.state.services``."""

    database: Database
    bus: Bus
    codes: Codes
    editing: Editing
    previews: Previews


async def get_services(request: Request) -> Services:
    """Return the app's services."""
    services: Services = request.app.state.services
    return services


ServicesDep = Annotated[Services, Depends(get_services)]
