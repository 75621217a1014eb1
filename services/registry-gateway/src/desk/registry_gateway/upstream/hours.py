"""The opening hours of the registry, which is closed at night (Tehran time)."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from desk.iran.jalali import TEHRAN


@dataclass(frozen=True, slots=True)
class OpeningHours:
    """The opening hours of every day. If both times are equal, the registry never closes."""

    opens: time
    closes: time

    def closed_until(self, moment: datetime) -> datetime | None:
        """Return when the registry opens again, or None if it is open."""
        clock = moment.astimezone(TEHRAN).time()
        by_day = self.opens <= self.closes
        if self.opens == self.closes or (
            self.opens <= clock < self.closes if by_day else clock >= self.opens or clock < self.closes
        ):
            return None
        return self.next_opening(moment)

    def next_opening(self, moment: datetime) -> datetime:
        """Return the next opening after a moment."""
        local = moment.astimezone(TEHRAN)
        opening = datetime.combine(local.date(), self.opens, TEHRAN)
        if opening <= local:
            opening = datetime.combine(local.date() + timedelta(days=1), self.opens, TEHRAN)
        return opening.astimezone(UTC)


def next_day(moment: datetime) -> datetime:
    """Return when the next day begins in Tehran, and with it a new quota."""
    local = moment.astimezone(TEHRAN)
    return datetime.combine(local.date() + timedelta(days=1), time(), TEHRAN).astimezone(UTC)


def day_of(moment: datetime) -> str:
    """Return the date in Tehran, for daily counters."""
    return moment.astimezone(TEHRAN).date().isoformat()
