"""The routes: one public route for the pages, three internal ones for other services."""

from fastapi import APIRouter

from desk.registry_gateway.routes import identities, internal
from desk.registry_gateway.routes.dependencies import Services

router = APIRouter()
router.include_router(identities.router)
router.include_router(internal.router)

__all__ = ["Services", "router"]
