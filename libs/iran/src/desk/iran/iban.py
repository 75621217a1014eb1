"""The IBAN of an Iranian bank account (شبا): ``IR`` and 24 digits, two of which are a checksum (ISO 13616)."""

import re
from dataclasses import dataclass
from typing import Self

from stdnum.iso7064 import mod_97_10

from desk.iran.digits import clean_number
from desk.iran.errors import IranValueError

_IRANIAN = re.compile("IR[0-9]{24}")


class InvalidIbanError(IranValueError):
    """Not the IBAN of an Iranian account. `reason`: `format` or `checksum`."""


@dataclass(frozen=True, slots=True, repr=False)
class Iban:
    """A well-formed IBAN; that an account has it, only a bank can say. `value` is `IR` and 24 ASCII digits."""

    value: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an IBAN in any digit set, with or without `IR`, in groups or not. Raises InvalidIbanError."""
        number = clean_number(text).upper()
        number = number if number.startswith("IR") else f"IR{number}"
        if not _IRANIAN.fullmatch(number):
            raise InvalidIbanError("format", "an Iranian IBAN is IR and 24 digits")
        if not mod_97_10.is_valid(number[4:] + number[:4]):
            raise InvalidIbanError("checksum", "the check digits of the IBAN do not fit")
        return cls(number)

    @property
    def grouped(self) -> str:
        """The IBAN in groups of four characters, as it is written on paper."""
        return " ".join(self.value[place : place + 4] for place in range(0, len(self.value), 4))
