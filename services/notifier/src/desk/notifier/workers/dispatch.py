"""Sends due messages, as soon as one is queued and otherwise twice a second."""

from desk.chassis.app import PeriodicTask
from desk.notifier.service import Dispatcher

PAUSE_SECONDS = 0.5


class DispatchTask(PeriodicTask):
    """Sends batches of one channel until none is due."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        super().__init__(self.send_batch, PAUSE_SECONDS)
        self._dispatcher = dispatcher

    async def send_batch(self) -> float | None:
        """Send one batch; return 0 if there may be more, so that the next call comes at once."""
        return 0 if await self._dispatcher.send_due() else None
