"""Tracking's public routes: look up a request, act on it, and for offices the keys of reports, figures and cases."""

from fastapi import APIRouter

from desk.tracking.routes import (
    actions,
    contacts,
    event_keys,
    figures,
    lookups,
    office_cases,
    own_requests,
    probes,
    public_figures,
)
from desk.tracking.routes.dependencies import TOKEN_AUDIENCE, Services
from desk.tracking.routes.figures import respond
from desk.tracking.routes.guards import ActionGuard, CaseReaderGuard, LookupGuard, OwnRequestsGuard

router = APIRouter()
router.include_router(lookups.router)
router.include_router(own_requests.router)
router.include_router(actions.router)
router.include_router(contacts.router)
router.include_router(event_keys.router)
router.include_router(figures.router)
router.include_router(office_cases.router)
router.include_router(public_figures.router)
router.include_router(probes.router)

__all__ = [
    "TOKEN_AUDIENCE",
    "ActionGuard",
    "CaseReaderGuard",
    "LookupGuard",
    "OwnRequestsGuard",
    "Services",
    "respond",
    "router",
]
