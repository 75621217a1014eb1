"""Consumes the desk's events of one province."""

from desk.console.clients import DeskClient
from desk.console.metrics import Metrics
from desk.console.service.events import EventHandler
from desk.expert import CaseEvent


async def consume_events(client: DeskClient, province: str, handler: EventHandler, metrics: Metrics) -> None:
    """Handle and count events until cancelled."""

    async def handle(event: CaseEvent) -> None:
        handled = False
        try:
            await handler.handle(province, event)
            handled = True
        finally:
            metrics.count_event(province, handled=handled)

    await client.consume(handle)
