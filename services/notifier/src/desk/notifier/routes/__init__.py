"""Notifier's routes: an internal one for codes, and those of headquarters for the texts."""

from fastapi import APIRouter

from desk.notifier.routes import codes, texts
from desk.notifier.routes.dependencies import Services

router = APIRouter()
router.include_router(codes.router)
router.include_router(texts.router)

__all__ = ["Services", "router"]
