"""Sends due messages, as soon as one is queued and otherwise every two seconds."""

from desk.chassis.app import PeriodicTask
from desk.notifier.service import Dispatcher
from desk.notifier.service.dispatch import BATCH_SIZE

PAUSE_SECONDS = 2.0
HELPER_PAUSE_SECONDS = 60.0
GATHER_SECONDS = 0.05
"""How long a task waits after a wake-up for more messages: to claim several costs little more than to claim one."""


class DispatchTask(PeriodicTask):
    """Sends batches of one channel until none is due."""

    def __init__(self, dispatcher: Dispatcher, group: "DispatchGroup", pause: float) -> None:
        super().__init__(self.send_batch, pause, gather=GATHER_SECONDS)
        self._dispatcher = dispatcher
        self._group = group
        self.waits = False
        """Whether a wake-up leads to a batch: not while one is being sent, nor after an exception."""

    async def send_batch(self) -> float | None:
        """Send one batch; return 0 if there may be more, so that the next call comes at once."""
        self.waits = False
        sent = await self._dispatcher.send_due(self._group.wake)
        self.waits = True
        return 0 if sent == BATCH_SIZE else None


class DispatchGroup:
    """The tasks of one channel. While one waits for the slowest message of its batch, the next one sends.

    Only the first looks for due messages regularly: the others would find the same ones.
    """

    def __init__(self, dispatcher: Dispatcher, number: int) -> None:
        pauses = (PAUSE_SECONDS, *([HELPER_PAUSE_SECONDS] * (number - 1)))
        self.tasks = [DispatchTask(dispatcher, self, pause) for pause in pauses]

    def wake(self) -> None:
        """Wake one waiting task; if none waits, let each look again when it has sent its batch."""
        waiting = next((task for task in self.tasks if task.waits), None)
        for task in [waiting] if waiting is not None else self.tasks:
            task.wake()
