"""A person: number, birth date, names and gender."""

from dataclasses import dataclass
from typing import Literal

from desk.iran.foreign_code import ForeignCode
from desk.iran.jalali import JalaliDate
from desk.iran.national_id import NationalId

Gender = Literal["male", "female"]
IdKind = Literal["national_id", "foreign_code"]
Number = NationalId | ForeignCode
"""The number that identifies a person."""

OLDEST_AGE_YEARS = 120
"""An earlier birth date is a typing error: no living person is that old."""


@dataclass(frozen=True, slots=True, repr=False)
class Identity:
    """A person as recorded in the registry. It has no repr, so that personal data does not reach a log by accident."""

    national_id: NationalId
    birth_date: JalaliDate
    first_name: str
    last_name: str
    gender: Gender


def kind_of(number: Number) -> IdKind:
    """Return the kind of number, as the identity token contains it."""
    return "national_id" if isinstance(number, NationalId) else "foreign_code"


def birth_date_fault(birth_date: JalaliDate, today: JalaliDate) -> Literal["in_future", "too_long_ago"] | None:
    """Return why no person who is alive today can have this birth date, or None."""
    if birth_date > today:
        return "in_future"
    last_birthday = (birth_date.year + OLDEST_AGE_YEARS, birth_date.month, birth_date.day)
    return "too_long_ago" if last_birthday < (today.year, today.month, today.day) else None
