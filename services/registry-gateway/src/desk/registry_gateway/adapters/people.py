"""Two hundred synthetic persons, the same on every machine.

Every choice is a hash of the person's position in the list, so that it depends on no random generator. The prefixes of
the numbers are in no published table, and family names combine two words, so that no real person is among them.
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
    return tuple(_person(position) for position in range(_COUNT))


def mobile_of(national_id: NationalId) -> Mobile:
    """Return the mobile that the simulated Shahkar has registered for this synthetic person."""
    return Mobile(f"+98900{national_id.value[3:]}")


def _person(position: int) -> Person:
    gender: Gender = "female" if position % 2 == 0 else "male"
    front, back = _choose(_FAMILY_FRONTS, position, "front"), _choose(_FAMILY_BACKS, position, "back")
    identity = Identity(
        national_id=_national_id(position),
        birth_date=_birth_date(position),
        first_name=_choose(_FIRST_NAMES[gender], position, "first name"),
        last_name=f"{front}{_ZWNJ}{back}",
        gender=gender,
    )
    return Person(identity, deceased=position % 33 == 32)  # noqa: PLR2004 - six of the two hundred


def _national_id(position: int) -> NationalId:
    prefixes = {4: _PREFIXES_TWO_ZEROS, 7: _PREFIXES_ONE_ZERO}.get(position % 10, _PREFIXES)
    # The position in the middle makes the numbers unique.
    nine = f"{_choose(prefixes, position, 'prefix')}{position:03}{_number(position, 'serial') % 1000:03}"
    return NationalId(nine + check_digit(nine))


def _birth_date(position: int) -> JalaliDate:
    if position % 50 == 10:  # noqa: PLR2004 - four of the two hundred
        return JalaliDate(_choose(_LEAP_YEARS, position, "year"), _ESFAND, 30)
    year = _choose(range(_FIRST_YEAR, _LAST_YEAR + 1), position, "year")
    month = _choose(range(1, _ESFAND + 1), position, "month")
    return JalaliDate(year, month, _choose(range(1, JalaliDate.month_length(year, month) + 1), position, "day"))


def _choose(options: Sequence[_T], position: int, choice: str) -> _T:
    return options[_number(position, choice) % len(options)]


def _number(position: int, choice: str) -> int:
    return int.from_bytes(hashlib.sha256(f"synthetic person {position}: {choice}".encode()).digest()[:8])
