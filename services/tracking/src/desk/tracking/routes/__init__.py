"""Tracking's public routes: look up a request, act on it, and the keys for which offices encrypt their reports."""

from fastapi import APIRouter

from desk.tracking.routes import actions, event_keys, lookups
from desk.tracking.routes.dependencies import TOKEN_AUDIENCE, Services
from desk.tracking.routes.guards import ActionGuard, LookupGuard

router = APIRouter()
router.include_router(lookups.router)
router.include_router(actions.router)
router.include_router(event_keys.router)

__all__ = ["TOKEN_AUDIENCE", "ActionGuard", "LookupGuard", "Services", "router"]
