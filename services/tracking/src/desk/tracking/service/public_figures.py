"""The figures that the organization publishes: none unless it chooses to, and only of months that are over."""

from dataclasses import dataclass

from desk.iran.offices import HEADQUARTERS
from desk.tracking.domain import FiguresNotPublishedError, Month, Published
from desk.tracking.service.figures import CountedPeriod, Figures


@dataclass(frozen=True, slots=True)
class PublicFigures:
    """Counts what is published."""

    figures: Figures
    published: Published

    @property
    def with_offices(self) -> bool:
        """Whether the offices are published too."""
        return self.published is Published.OFFICES

    async def count(self) -> CountedPeriod:
        """Return the counts of the last twelve months that are over. Raises FiguresNotPublishedError.

        The present month would grow from day to day, and a difference of two days could be of one person.
        """
        if self.published is Published.NONE:
            raise FiguresNotPublishedError
        last = Month.of(self.figures.context.clock()).plus(-1)
        return await self.figures.count(self.figures.scope(HEADQUARTERS.key, None, None, last))
