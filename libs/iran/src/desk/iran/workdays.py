"""Working days of Iran's offices, for deadlines."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from importlib.resources import files
from typing import Self

from desk.iran.errors import IranValueError
from desk.iran.jalali import TEHRAN, JalaliDate, require_day

THURSDAY, FRIDAY = 3, 4
_WEEK = frozenset(range(7))
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class InvalidWorkCalendarError(IranValueError):
    """A calendar or a period that leads nowhere. `reason`: `weekend`, `days` or `overrides`."""


@dataclass(frozen=True)
class WorkCalendar:
    """Which days are worked.

    `weekend` holds weekday numbers as Python counts them (Monday is 0). Official holidays are those of the `holidays`
    package, of which `official-holidays.json` has a copy. Religious ones follow the moon: for years whose calendar is
    not yet published they are estimates, a day early or late. `overrides` corrects them, and adds what the government
    announces at short notice: True makes a day worked, False makes it free.
    """

    weekend: frozenset[int] = frozenset({THURSDAY, FRIDAY})
    overrides: Mapping[date, bool] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a week without a working day. Raises InvalidWorkCalendarError."""
        if not self.weekend < _WEEK:
            raise InvalidWorkCalendarError("weekend", "the weekend is made of weekdays 0 to 6, and not of all seven")

    def without(self, days_off: Iterable[date]) -> Self:
        """Return the calendar in which these days are free too, except those that `overrides` makes worked."""
        return replace(self, overrides={**dict.fromkeys(days_off, False), **self.overrides})

    def is_working(self, day: date) -> bool:
        """Return whether offices work on the day. Raises InvalidMomentError for a datetime."""
        require_day(day)
        worked = day.weekday() not in self.weekend and day not in _official_holidays(day.year)
        return self.overrides.get(day, worked)

    def add(self, start: date, days: int) -> date:
        """Return the n-th working day after `start`, which itself never counts; `days` is at least 1.

        Raises InvalidWorkCalendarError for fewer days, and InvalidMomentError for a datetime.
        """
        require_day(start)
        if days < 1:
            raise InvalidWorkCalendarError("days", "a period has at least one working day")
        day = start
        for _ in range(days):
            day += timedelta(days=1)
            while not self.is_working(day):
                day += timedelta(days=1)
        return day

    def count(self, after: date, until: date) -> int:
        """Count the working days after `after` and up to `until`; none if `until` is not later.

        Raises InvalidMomentError for a datetime.
        """
        require_day(after)
        require_day(until)
        days = (until - after).days
        return sum(self.is_working(after + timedelta(days=number)) for number in range(1, days + 1))

    @staticmethod
    def end_of_day(day: date) -> datetime:
        """Return the last second of the day in Tehran, 23:59:59, as a UTC datetime. Raises InvalidMomentError."""
        require_day(day)
        # Until 2022 summer time ended by repeating the hour before midnight: fold=1 means its second pass.
        return datetime.combine(day, time(23, 59, 59, fold=1), TEHRAN).astimezone(UTC)


def parse_weekend(text: str) -> frozenset[int]:
    """Read a weekend such as `thursday,friday`; empty for a week without one. Raises InvalidWorkCalendarError."""
    names = [name.strip().lower() for name in text.split(",") if name.strip()]
    if not set(names) <= set(_DAYS):
        raise InvalidWorkCalendarError("weekend", "a weekend is made of the English names of days, with commas")
    return frozenset(_DAYS.index(name) for name in names)


def parse_overrides(text: str) -> dict[date, bool]:
    """Read overrides: lines such as `1405-10-05 free` or `1405-10-11 worked`, Jalali; `#` begins a comment.

    Raises InvalidWorkCalendarError, which names the line.
    """
    overrides: dict[date, bool] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        try:
            day, kind = words
            overrides[JalaliDate.parse(day).to_gregorian()] = {"worked": True, "free": False}[kind]
        except (ValueError, KeyError):
            raise InvalidWorkCalendarError(
                "overrides", f"line {number} is not a Jalali date and `free` or `worked`"
            ) from None
    return overrides


@cache
def _table() -> dict[str, list[str]]:
    """Return the official holidays as ``MM-DD`` by Gregorian year; `make contracts` writes the file."""
    table: dict[str, list[str]] = json.loads(files("desk.iran").joinpath("official-holidays.json").read_bytes())
    return table


@lru_cache(maxsize=64)
def _official_holidays(year: int) -> frozenset[date]:
    """Return the official holidays of a Gregorian year; none are known before 1980 and after 2100."""
    return frozenset(date.fromisoformat(f"{year}-{day}") for day in _table().get(str(year), ()))
