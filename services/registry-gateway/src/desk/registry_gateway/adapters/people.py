"""Two hundred people who do not exist, the same ones on every machine.

Every choice is a hash of the person's place in the list, so that it depends on no random generator. Issue prefixes
are ones no published table names, and family names are put together from two words, so that nobody is met by accident.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TypeVar

from desk.iran.jalali import JalaliDate
from desk.iran.national_id import NationalId, check_digit
from desk.iran.phone import Mobile
from desk.registry_gateway.domain import Gender, Identity

_COUNT = 200
_FIRST_YEAR, _LAST_YEAR = 1310, 1390
_ESFAND = 12
_LEAP_YEARS = tuple(year for year in range(_FIRST_YEAR, _LAST_YEAR + 1) if JalaliDate.is_leap(year))

_PREFIXES = ("742", "748", "789", "805", "826", "827", "954", "972")
_PREFIXES_ONE_ZERO = ("029", "099")
_PREFIXES_TWO_ZEROS = ("009",)

_FIRST_NAMES: dict[Gender, tuple[str, ...]] = {
    "female": (
        "زهرا", "فاطمه", "مریم", "سارا", "نرگس", "لیلا", "مینا", "شیرین", "پروین", "نسرین", "مهناز", "فرزانه",
        "سمیه", "الهام", "ریحانه", "هانیه", "طاهره", "اعظم", "شهلا", "نگار",
    ),
    "male": (
        "علی", "محمد", "حسین", "رضا", "مهدی", "حسن", "احمد", "سعید", "بهرام", "کاوه", "امیر", "یوسف",
        "ابراهیم", "مجید", "ناصر", "جواد", "کریم", "سیاوش", "فرهاد", "پیمان",
    ),
}  # fmt: skip
_FAMILY_FRONTS = (
    "انار", "باران", "بلوط", "زعفران", "سپیدار", "ستاره", "سنجد", "شبنم", "شقایق", "صنوبر", "فانوس", "فیروزه",
    "کبوتر", "مهتاب", "نسیم", "نیلوفر",
)  # fmt: skip
_FAMILY_BACKS = ("باغ", "برکه", "پل", "جاده", "چشمه", "دره", "دشت", "کوچه", "کوه", "کوهپایه")
_ZWNJ = "\u200c"

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, repr=False)
class Person:
    """A synthetic person."""

    identity: Identity
    deceased: bool


@cache
def people() -> tuple[Person, ...]:
    """Return all synthetic people: six have died, every fifth number begins with zero, four were born on 30 Esfand."""
    return tuple(_person(place) for place in range(_COUNT))


def mobile_of(national_id: NationalId) -> Mobile:
    """Return the mobile that Shahkar would know as this synthetic person's."""
    return Mobile(f"+98900{national_id.value[3:]}")


def _person(place: int) -> Person:
    gender: Gender = "female" if place % 2 == 0 else "male"
    front, back = _choose(_FAMILY_FRONTS, place, "front"), _choose(_FAMILY_BACKS, place, "back")
    identity = Identity(
        national_id=_national_id(place),
        birth_date=_birth_date(place),
        first_name=_choose(_FIRST_NAMES[gender], place, "first name"),
        last_name=f"{front}{_ZWNJ}{back}",
        gender=gender,
    )
    return Person(identity, deceased=place % 33 == 32)  # noqa: PLR2004 - six of the two hundred


def _national_id(place: int) -> NationalId:
    prefixes = {4: _PREFIXES_TWO_ZEROS, 7: _PREFIXES_ONE_ZERO}.get(place % 10, _PREFIXES)
    # The place in the middle keeps two people from ever getting the same number.
    nine = f"{_choose(prefixes, place, 'prefix')}{place:03}{_number(place, 'serial') % 1000:03}"
    return NationalId(nine + check_digit(nine))


def _birth_date(place: int) -> JalaliDate:
    if place % 50 == 10:  # noqa: PLR2004 - four of the two hundred
        return JalaliDate(_choose(_LEAP_YEARS, place, "year"), _ESFAND, 30)
    year = _choose(range(_FIRST_YEAR, _LAST_YEAR + 1), place, "year")
    month = _choose(range(1, _ESFAND + 1), place, "month")
    return JalaliDate(year, month, _choose(range(1, JalaliDate.month_length(year, month) + 1), place, "day"))


def _choose(options: Sequence[_T], place: int, choice: str) -> _T:
    return options[_number(place, choice) % len(options)]


def _number(place: int, choice: str) -> int:
    return int.from_bytes(hashlib.sha256(f"synthetic person {place}: {choice}".encode()).digest()[:8])
