"""Notifier's public routes: delivery reports of the SMS providers."""

from desk.notifier.routes.delivery_reports import router
from desk.notifier.routes.dependencies import ReportSource, Services

__all__ = ["ReportSource", "Services", "router"]
