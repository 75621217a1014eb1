"""Notifier's routes: an internal one for codes."""

from fastapi import APIRouter

from desk.notifier.routes import codes
from desk.notifier.routes.dependencies import Services

router = APIRouter()
router.include_router(codes.router)

__all__ = ["Services", "router"]
