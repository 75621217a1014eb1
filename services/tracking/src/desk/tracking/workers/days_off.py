"""Reads the days off that headquarters has put into the catalogue, every minute."""

from desk.chassis.app import PeriodicTask
from desk.chassis.problem import ServiceUnavailableError
from desk.tracking.clients import IntakeClient
from desk.tracking.domain import Terms

PAUSE_SECONDS = 60.0


class DaysOffTask(PeriodicTask):
    """Keeps the calendar of the terms up to date. While intake is unavailable, the days that are known stay valid.

    A new day off counts for the periods that begin after it is read; dates that were promised do not move.
    """

    def __init__(self, terms: Terms, intake: IntakeClient) -> None:
        super().__init__(self.read, PAUSE_SECONDS)
        self._terms, self._usual, self._intake = terms, terms.calendar, intake

    async def read(self) -> None:
        """Read the days off once."""
        try:
            days_off = await self._intake.days_off()
        except ServiceUnavailableError:  # the client has logged it
            return
        self._terms.calendar = self._usual.without(days_off)
