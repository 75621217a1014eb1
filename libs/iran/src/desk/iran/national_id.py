"""The national ID (کد ملی): ten digits, the last a check digit."""

import re
from dataclasses import dataclass
from typing import Self

from desk.iran.digits import clean_number
from desk.iran.errors import IranValueError

_LENGTH = 10
_SHORTEST = 8
_MODULUS = 11
_DIGITS = re.compile("[0-9]+")


class InvalidNationalIdError(IranValueError):
    """Not a national ID. `reason`: `empty`, `not_digits`, `length`, `equal_digits` or `check_digit`."""


@dataclass(frozen=True, slots=True, repr=False)
class NationalId:
    """A well-formed national ID; that a person bears it, only the civil registry can say.

    The checksum is a typo filter: some 2 % of single-digit typos pass it. `value` is ten ASCII digits, leading zeros
    included. `str()` and `repr()` show the masked form, so that the number does not reach a log by accident.
    """

    value: str

    def __post_init__(self) -> None:
        """Refuse anything but the canonical form. Raises InvalidNationalIdError."""
        if not self.value:
            raise InvalidNationalIdError("empty", "the national ID is empty: give its ten digits")
        if not _DIGITS.fullmatch(self.value):
            raise InvalidNationalIdError("not_digits", "a national ID consists of digits only")
        if len(self.value) != _LENGTH:
            raise InvalidNationalIdError("length", "a national ID has ten digits")
        if len(set(self.value)) == 1:
            raise InvalidNationalIdError("equal_digits", "ten equal digits are not a national ID")
        if self.value[-1] != check_digit(self.value[:-1]):
            raise InvalidNationalIdError("check_digit", "the check digit does not fit: look for a mistyped digit")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a typed, pasted or imported number: any digit set, with spaces, hyphens or bidi marks.

        Eight or nine digits have lost their leading zeros in a spreadsheet or in the registry's number field: they
        are padded to ten before the check. Raises InvalidNationalIdError.
        """
        number = clean_number(text)
        return cls(number.zfill(_LENGTH) if _DIGITS.fullmatch(number) and len(number) >= _SHORTEST else number)

    @property
    def masked(self) -> str:
        """The number as a receipt may show it: the first three and the last two digits, five stars between them."""
        return f"{self.value[:3]}*****{self.value[-2:]}"

    def __repr__(self) -> str:
        """Show the masked form only."""
        return f"NationalId({self.masked!r})"

    def __str__(self) -> str:
        """Show the masked form only; the number itself is `value`."""
        return self.masked


def check_digit(nine: str) -> str:
    """Return the tenth digit for the first nine (ASCII), by the civil registry's weighted sum modulo 11.

    Raises InvalidNationalIdError if these are not nine digits.
    """
    if not _DIGITS.fullmatch(nine):
        raise InvalidNationalIdError("not_digits", "a national ID consists of digits only")
    if len(nine) != _LENGTH - 1:
        raise InvalidNationalIdError("length", "the check digit is computed from nine digits")
    remainder = sum(int(digit) * (_LENGTH - place) for place, digit in enumerate(nine)) % _MODULUS
    return str(remainder if remainder <= 1 else _MODULUS - remainder)
