"""The comprehensive code of foreign nationals (کد فراگیر اتباع): twelve digits, without a published check digit."""

import re
from dataclasses import dataclass
from typing import Self

from desk.iran.digits import clean_number
from desk.iran.errors import IranValueError

_LENGTH = 12
_DIGITS = re.compile("[0-9]+")


class InvalidForeignCodeError(IranValueError):
    """Not a foreign national's code. `reason`: `empty`, `not_digits`, `length` or `equal_digits`."""


@dataclass(frozen=True, slots=True, repr=False)
class ForeignCode:
    """A well-formed code of a foreign national; that a person bears it, only the registry can say.

    `value` is twelve ASCII digits. `str()` and `repr()` show the masked form, so that the number does not reach a log
    by accident.
    """

    value: str

    def __post_init__(self) -> None:
        """Refuse anything but the canonical form. Raises InvalidForeignCodeError."""
        if not self.value:
            raise InvalidForeignCodeError("empty", "the foreign national's code is empty: give its twelve digits")
        if not _DIGITS.fullmatch(self.value):
            raise InvalidForeignCodeError("not_digits", "a foreign national's code consists of digits only")
        if len(self.value) != _LENGTH:
            raise InvalidForeignCodeError("length", "a foreign national's code has twelve digits")
        if len(set(self.value)) == 1:
            raise InvalidForeignCodeError("equal_digits", "twelve equal digits are not a code")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a typed or pasted code: any digit set, with spaces, hyphens or bidi marks; nothing is padded.

        Raises InvalidForeignCodeError.
        """
        return cls(clean_number(text))

    @property
    def masked(self) -> str:
        """The code as a receipt may show it: the first three and the last two digits, seven stars between them."""
        return f"{self.value[:3]}*******{self.value[-2:]}"

    def __repr__(self) -> str:
        """Show the masked form only."""
        return f"ForeignCode({self.masked!r})"

    def __str__(self) -> str:
        """Show the masked form only; the code itself is `value`."""
        return self.masked
