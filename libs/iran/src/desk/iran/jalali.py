"""Jalali dates, and moments as people in Iran read them."""

import re
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Self
from zoneinfo import ZoneInfo

from jalali_core import GregorianToJalali, JalaliToGregorian  # type: ignore[import-untyped]

from desk.iran.digits import bare, to_persian
from desk.iran.errors import IranValueError

TEHRAN = ZoneInfo("Asia/Tehran")
FIRST_YEAR, LAST_YEAR = 1280, 1500
_CYCLE, _LEAP_YEARS = 33, frozenset({1, 5, 9, 13, 17, 22, 26, 30})

MONTHS = (
    "فروردین", "اردیبهشت", "خرداد", "تیر", "مرداد", "شهریور", "مهر", "آبان", "آذر", "دی", "بهمن", "اسفند",
)  # fmt: skip
WEEKDAYS = ("دوشنبه", "سه\u200cشنبه", "چهارشنبه", "پنجشنبه", "جمعه", "شنبه", "یکشنبه")

_WRITTEN = re.compile("([0-9]{4})([-/])([0-9]{1,2})\\2([0-9]{1,2})")
_COMPACT = re.compile("([0-9]{4})([0-9]{2})([0-9]{2})")


class InvalidJalaliDateError(IranValueError):
    """Not a date of the Jalali calendar. `reason`: `format`, `year`, `month` or `day`."""


class InvalidMomentError(IranValueError):
    """A datetime in the wrong place. `reason`: `naive` (it has no time zone) or `not_a_day` (a date was wanted)."""


@dataclass(frozen=True, slots=True, order=True)
class JalaliDate:
    """A day of the Iranian solar calendar, from 1280-01-01 (1901-03-21) to 1500-12-29 (2122-03-20).

    Leap years follow the 33-year cycle of jalali-core, which equals Borkowski's astronomical rule in this whole range.
    """

    year: int
    month: int
    day: int

    def __post_init__(self) -> None:
        """Refuse days that do not exist. Raises InvalidJalaliDateError."""
        if not 1 <= self.day <= self.month_length(self.year, self.month):
            raise InvalidJalaliDateError("day", "this month does not have that day")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `1361-12-05` or `1361/12/5`, in any digit set. Raises InvalidJalaliDateError."""
        if not (match := _WRITTEN.fullmatch(bare(text))):
            raise InvalidJalaliDateError("format", "write the date as YYYY-MM-DD, for example 1361-12-05")
        return cls(int(match[1]), int(match[3]), int(match[4]))

    @classmethod
    def from_compact(cls, number: int | str) -> Self:
        """Read the civil registry's form, `13611205`. Raises InvalidJalaliDateError."""
        if not (match := _COMPACT.fullmatch(bare(str(number)))):
            raise InvalidJalaliDateError("format", "a compact date is eight digits, YYYYMMDD")
        return cls(int(match[1]), int(match[2]), int(match[3]))

    @classmethod
    def from_gregorian(cls, day: date) -> Self:
        """Convert a calendar day. Raises InvalidJalaliDateError outside the range.

        A datetime is refused with InvalidMomentError, because its day depends on the zone: use `in_tehran`.
        """
        require_day(day)
        return cls(*GregorianToJalali(day.year, day.month, day.day).getJalaliList())

    @staticmethod
    def is_leap(year: int) -> bool:
        """Return whether Esfand of the year has 30 days. Raises InvalidJalaliDateError for a year outside the range."""
        if not FIRST_YEAR <= year <= LAST_YEAR:
            raise InvalidJalaliDateError("year", f"the year must be between {FIRST_YEAR} and {LAST_YEAR}")
        return year % _CYCLE in _LEAP_YEARS

    @staticmethod
    def month_length(year: int, month: int) -> int:
        """Return the number of days of a month. Raises InvalidJalaliDateError for a year or month that is not there."""
        leap = JalaliDate.is_leap(year)
        if not 1 <= month <= len(MONTHS):
            raise InvalidJalaliDateError("month", "the month must be between 1 and 12")
        return (31, 31, 31, 31, 31, 31, 30, 30, 30, 30, 30, 30 if leap else 29)[month - 1]

    def to_gregorian(self) -> date:
        """Convert to the Gregorian calendar."""
        return date(*JalaliToGregorian(self.year, self.month, self.day).getGregorianList())

    def isoformat(self) -> str:
        """Write the date as `1361-12-05`, the form of JSON."""
        return f"{self.year:04}-{self.month:02}-{self.day:02}"

    def compact(self) -> int:
        """Write the date as the number 13611205, the form of the civil registry."""
        return (self.year * 100 + self.month) * 100 + self.day

    @property
    def weekday_name(self) -> str:
        """The Persian name of the day of the week."""
        return WEEKDAYS[self.to_gregorian().weekday()]

    def long(self) -> str:
        """Write the date for people: «یکشنبه ۲۲ آذر ۱۴۰۵»."""
        return to_persian(f"{self.weekday_name} {self.day} {MONTHS[self.month - 1]} {self.year}")


def in_tehran(moment: datetime) -> tuple[JalaliDate, time]:
    """Split a moment into the day and the time of day that Tehran's clocks show.

    Raises InvalidMomentError for a naive datetime, and InvalidJalaliDateError outside the range of years.
    """
    if moment.utcoffset() is None:
        raise InvalidMomentError("naive", "the moment has no time zone: attach UTC before converting it")
    local = moment.astimezone(TEHRAN)
    return JalaliDate.from_gregorian(local.date()), local.time()


def format_moment(moment: datetime) -> str:
    """Write a moment for people: «یکشنبه ۲۲ آذر ۱۴۰۵، ساعت ۱۴:۳۰», Tehran time. Raises as `in_tehran` does."""
    day, clock = in_tehran(moment)
    return f"{day.long()}، ساعت {to_persian(clock.strftime('%H:%M'))}"


def local_text(moment: datetime) -> str:
    """Write a moment for programs that show it to people: `1405-09-22 14:30`, Jalali day and Tehran time.

    A page that shows this text needs no time-zone data of its device. Raises as `in_tehran` does.
    """
    day, clock = in_tehran(moment)
    return f"{day.isoformat()} {clock.strftime('%H:%M')}"


def require_day(day: date) -> None:
    """Refuse a datetime where a calendar day is meant, although its type allows it. Raises InvalidMomentError."""
    if isinstance(day, datetime):
        raise InvalidMomentError("not_a_day", "a datetime has no day before its zone is chosen: pass a date")
