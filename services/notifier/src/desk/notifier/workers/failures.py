"""Publishes failed SMS, every fifteen seconds."""

from desk.chassis.app import PeriodicTask
from desk.notifier.service import Failures

PAUSE_SECONDS = 15.0
BATCH = 100


class FailureTask(PeriodicTask):
    """Publishes batches of failures until none is left."""

    def __init__(self, failures: Failures) -> None:
        super().__init__(self.publish_batch, PAUSE_SECONDS)
        self._failures = failures

    async def publish_batch(self) -> float | None:
        """Publish one batch; return 0 if there may be more, so that the next call comes at once."""
        return 0 if await self._failures.publish(BATCH) == BATCH else None
