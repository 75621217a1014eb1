"""Jalali months, by which requests are counted."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Self

from desk.chassis.problem import DomainError
from desk.iran.digits import bare
from desk.iran.jalali import TEHRAN, JalaliDate, in_tehran

MONTHS_OF_YEAR = 12
MONTHS_MAX = 36
FIRST_YEAR, LAST_YEAR = 1390, 1499
_WRITTEN = re.compile("([0-9]{4})[-/]([0-9]{1,2})")


class MonthInvalidError(ValueError):
    """The text is no Jalali month from 1390-01 to 1499-12."""


class PeriodInvalidError(DomainError):
    """The period ends before it begins, or is too long."""

    code, field = "period_invalid", "from"
    title = "ماه آغاز باید پیش از ماه پایان یا با آن برابر باشد، و بازه حداکثر ۳۶ ماه است. آن‌ها را اصلاح کنید."


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A month of the Jalali calendar, in Tehran."""

    year: int
    number: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``1405-09``, in any digit set. Raises MonthInvalidError."""
        match = _WRITTEN.fullmatch(bare(text))
        year, number = (int(match[1]), int(match[2])) if match else (0, 0)
        if not FIRST_YEAR <= year <= LAST_YEAR or not 1 <= number <= MONTHS_OF_YEAR:
            raise MonthInvalidError(text)
        return cls(year, number)

    @classmethod
    def of(cls, moment: datetime) -> Self:
        """Return the month of a moment."""
        day = in_tehran(moment)[0]
        return cls(day.year, day.month)

    def plus(self, months: int) -> "Month":
        """Return the month so many months later; a negative number is earlier."""
        year, index = divmod(self.year * MONTHS_OF_YEAR + self.number - 1 + months, MONTHS_OF_YEAR)
        return Month(year, index + 1)

    @property
    def start(self) -> datetime:
        """The first moment of the month."""
        first = JalaliDate(self.year, self.number, 1).to_gregorian()
        return datetime.combine(first, time(), TEHRAN).astimezone(UTC)

    def __str__(self) -> str:
        """Return the month as ``1405-09``."""
        return f"{self.year:04}-{self.number:02}"


@dataclass(frozen=True, slots=True)
class Period:
    """The months from ``first`` to ``last``, both included."""

    first: Month
    last: Month

    @classmethod
    def of(cls, first: Month | None, last: Month | None, now: datetime) -> Self:
        """Return a period: by default up to the present month, and twelve months long. Raises PeriodInvalidError."""
        end = last or Month.of(now)
        period = cls(first or end.plus(1 - MONTHS_OF_YEAR), end)
        if not period.first <= period.last < period.first.plus(MONTHS_MAX):
            raise PeriodInvalidError
        return period

    def months(self) -> list[Month]:
        """Return the months in order."""
        months = [self.first]
        while months[-1] < self.last:
            months.append(months[-1].plus(1))
        return months
