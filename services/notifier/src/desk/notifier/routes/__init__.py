"""Notifier's routes: public ones for delivery reports of the SMS providers, an internal one for codes."""

from fastapi import APIRouter

from desk.notifier.routes import codes, delivery_reports
from desk.notifier.routes.dependencies import ReportSource, Services

router = APIRouter()
router.include_router(delivery_reports.router)
router.include_router(codes.router)

__all__ = ["ReportSource", "Services", "router"]
