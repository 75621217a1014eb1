"""Tracking's public routes: look up a request, and act on it."""

from fastapi import APIRouter

from desk.tracking.routes import actions, lookups
from desk.tracking.routes.dependencies import TOKEN_AUDIENCE, Services
from desk.tracking.routes.guards import ActionGuard, LookupGuard

router = APIRouter()
router.include_router(lookups.router)
router.include_router(actions.router)

__all__ = ["TOKEN_AUDIENCE", "ActionGuard", "LookupGuard", "Services", "router"]
