"""The services that the routes use."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from desk.registry_gateway.service import IdentityService


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """What ``create_app`` built, in ``app.state.services``."""

    identities: IdentityService


async def get_services(request: Request) -> Services:
    """Return the app's services."""
    services: Services = request.app.state.services
    return services


ServicesDep = Annotated[Services, Depends(get_services)]
