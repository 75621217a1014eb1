"""When the registry answers: it closes at night, Tehran time."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from desk.iran.jalali import TEHRAN


@dataclass(frozen=True, slots=True)
class OpeningHours:
    """The hours of every day; a registry that opens when it closes never does."""

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
        """Return when the registry opens next after a moment."""
        local = moment.astimezone(TEHRAN)
        opening = datetime.combine(local.date(), self.opens, TEHRAN)
        if opening <= local:
            opening = datetime.combine(local.date() + timedelta(days=1), self.opens, TEHRAN)
        return opening.astimezone(UTC)


def next_day(moment: datetime) -> datetime:
    """Return when the next day begins in Tehran, and with it another quota."""
    local = moment.astimezone(TEHRAN)
    return datetime.combine(local.date() + timedelta(days=1), time(), TEHRAN).astimezone(UTC)


def day_of(moment: datetime) -> str:
    """Name the day in Tehran, for what is counted by the day."""
    return moment.astimezone(TEHRAN).date().isoformat()
