"""The offices that handle requests: one in each province, and headquarters."""

from dataclasses import dataclass

from desk.iran.errors import IranValueError
from desk.iran.provinces import PROVINCES


class UnknownOfficeError(IranValueError):
    """No office has this key. `reason`: `unknown_office`."""


@dataclass(frozen=True, slots=True)
class Office:
    """An office. `key` names it in routes and events: a province's key, or `headquarters`. `name` is Persian."""

    key: str
    name: str
    name_en: str


HEADQUARTERS = Office("headquarters", "ستاد سازمان حج و زیارت", "Headquarters")
OFFICES: tuple[Office, ...] = (*(Office(each.key, each.name, each.name_en) for each in PROVINCES), HEADQUARTERS)
"""The offices of the provinces, in their order, and headquarters."""
OFFICE_KEYS: frozenset[str] = frozenset(each.key for each in OFFICES)

_BY_KEY = {each.key: each for each in OFFICES}


def office(key: str) -> Office:
    """Find an office by its key, such as `isfahan`. Raises UnknownOfficeError."""
    try:
        return _BY_KEY[key]
    except KeyError:
        raise UnknownOfficeError("unknown_office", "no office has this key: a province's key or headquarters") from None
