"""Phone numbers of Iran: mobiles, and landlines behind a province's area code."""

import re
from dataclasses import dataclass
from typing import Self

from desk.iran.digits import clean_number
from desk.iran.errors import IranValueError
from desk.iran.provinces import PROVINCES

_MOBILE_TYPED = re.compile("0?(9[0-9]{9})")
_COUNTRY = re.compile(r"^(?:\+98|0098|98(?=[0-9]{10}))0?")
_MOBILE = re.compile("\\+989[0-9]{9}")
_FOREIGN = re.compile(r"\+[1-9][0-9]{6,14}")
_AREA_CODES = frozenset(province.area_code for province in PROVINCES)
_DIGITS = re.compile("[0-9]+")
_SHORTEST, _LONGEST = 4, 8


def _dialled(text: str) -> str:
    """Return the digits of a typed number, with 0 in place of the country's code."""
    return _COUNTRY.sub("0", clean_number(text.replace(".", " ")), count=1)


class InvalidMobileError(IranValueError):
    """Not an Iranian mobile number. `reason`: `empty` or `format`."""


class InvalidLandlineError(IranValueError):
    """Not a landline. `reason`: `empty`, `area_code`, `not_digits`, `length` or `first_digit`."""


@dataclass(frozen=True, slots=True, repr=False)
class Mobile:
    """An Iranian mobile number; `e164` is `+989…`, the form for storage. `str()` and `repr()` show it masked.

    Operators' prefixes are not checked: blocks are added, and numbers are ported between operators.
    """

    e164: str

    def __post_init__(self) -> None:
        """Refuse anything but the canonical form. Raises InvalidMobileError."""
        if not _MOBILE.fullmatch(self.e164):
            raise InvalidMobileError("format", "a mobile number is 09 and nine more digits")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a typed number in any digit set, starting with 0, 98, +98, 0098 or 9. Raises InvalidMobileError."""
        number = _dialled(text)
        if not number:
            raise InvalidMobileError("empty", "the mobile number is empty")
        match = _MOBILE_TYPED.fullmatch(number)
        return cls(f"+98{match[1]}" if match else number)

    @property
    def national(self) -> str:
        """The form for people and SMS gateways, `09…`."""
        return f"0{self.e164[3:]}"

    @property
    def masked(self) -> str:
        """The number as a receipt may show it: the first four and the last two digits."""
        return f"{self.national[:4]}*****{self.national[-2:]}"

    def __repr__(self) -> str:
        """Show the masked form only."""
        return f"Mobile({self.masked!r})"

    def __str__(self) -> str:
        """Show the masked form only; the number itself is `e164` or `national`."""
        return self.masked


def parse_foreign_mobile(text: str) -> str:
    """Read a number of another country, with + or 00 and its country's code; return it in E.164 (ITU-T E.164).

    Raises InvalidMobileError, also for an Iranian number that is not a mobile.
    """
    number = clean_number(text.replace(".", " "))
    number = f"+{number[2:]}" if number.startswith("00") else number
    if not number:
        raise InvalidMobileError("empty", "the mobile number is empty")
    if not _FOREIGN.fullmatch(number) or number.startswith("+98"):
        raise InvalidMobileError(
            "format", "a number abroad is + and the country's code, seven to fifteen digits in all"
        )
    return number


def mask_phone(e164: str) -> str:
    """Return a stored number as its owner may see it: the first digits and the last two.

    An Iranian number is shown in its national form, another one with its country's code.
    """
    number = f"0{e164[3:]}" if e164.startswith("+98") else e164
    return f"{number[:4]}{'*' * max(0, len(number) - 6)}{number[-2:]}"


@dataclass(frozen=True, slots=True, repr=False)
class Landline:
    """A landline: a province's area code (`021`) and the subscriber's number. `str()` and `repr()` show it masked.

    Eight digits are the norm, but shorter numbers are still in use at small exchanges and in organisations. None
    starts with 0 (the trunk prefix) or 1 (short services such as 110 and 115).
    """

    area_code: str
    number: str

    def __post_init__(self) -> None:
        """Refuse anything but the canonical form. Raises InvalidLandlineError."""
        if self.area_code not in _AREA_CODES:
            raise InvalidLandlineError("area_code", "this is no province's area code")
        if not self.number:
            raise InvalidLandlineError("empty", "the landline number is empty")
        if not _DIGITS.fullmatch(self.number):
            raise InvalidLandlineError("not_digits", "a landline number consists of digits only")
        if self.number[0] in "01":
            raise InvalidLandlineError("first_digit", "a landline number starts with a digit from 2 to 9")
        if not _SHORTEST <= len(self.number) <= _LONGEST:
            raise InvalidLandlineError("length", f"a landline number has {_SHORTEST} to {_LONGEST} digits")

    @classmethod
    def parse(cls, area_code: str, number: str) -> Self:
        """Read both parts in any digit set. Raises InvalidLandlineError.

        The area code may be written as 021, 21 or +9821. At the start of the number, the country's code and the area
        code are dropped: no subscriber's number starts with 0.
        """
        code = cls.parse_area_code(area_code)
        return cls(code, _dialled(number).removeprefix(code))

    @classmethod
    def parse_area_code(cls, text: str) -> str:
        """Read an area code such as 021, 21 or +9821 and return it with 0 in front. Raises InvalidLandlineError."""
        code = f"0{_dialled(text).removeprefix('0')}"
        if code not in _AREA_CODES:
            raise InvalidLandlineError("area_code", "this is no province's area code")
        return code

    @property
    def e164(self) -> str:
        """The form for storage, `+98…`."""
        return f"+98{self.area_code[1:]}{self.number}"

    @property
    def national(self) -> str:
        """The form for people, area code first and undivided."""
        return f"{self.area_code}{self.number}"

    @property
    def masked(self) -> str:
        """The number as a receipt may show it: the area code and the last two digits."""
        return f"{self.area_code}{'*' * (len(self.number) - 2)}{self.number[-2:]}"

    def __repr__(self) -> str:
        """Show the masked form only."""
        return f"Landline({self.masked!r})"

    def __str__(self) -> str:
        """Show the masked form only; the number itself is `e164` or `national`."""
        return self.masked
