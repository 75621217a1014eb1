"""The 31 provinces of Iran. A request belongs to one, and its experts answer it."""

import json
from dataclasses import dataclass
from importlib.resources import files

from desk.iran.errors import IranValueError


class UnknownProvinceError(IranValueError):
    """No province has this key. `reason`: `unknown_province`."""


@dataclass(frozen=True, slots=True)
class Province:
    """A province. `key` names it in routes and events, `name` and `capital` are Persian, `area_code` is `021`-like.

    `iso` is its ISO 3166-2 code since the renumbering of November 2020 (Markazi is IR-00).
    """

    key: str
    name: str
    name_en: str
    area_code: str
    iso: str
    capital: str


def _load() -> tuple[Province, ...]:
    rows = json.loads(files("desk.iran").joinpath("provinces.json").read_text(encoding="utf-8"))
    return tuple(
        Province(
            key=row["key"],
            name=row["name_fa"],
            name_en=row["name_en"],
            area_code=row["area_code"],
            iso=row["iso"],
            capital=row["capital_fa"],
        )
        for row in rows
    )


PROVINCES: tuple[Province, ...] = _load()
"""All provinces, in the Persian alphabetical order of the file."""

_BY_KEY = {each.key: each for each in PROVINCES}


def province(key: str) -> Province:
    """Find a province by its key, such as `isfahan`. Raises UnknownProvinceError."""
    try:
        return _BY_KEY[key]
    except KeyError:
        raise UnknownProvinceError("unknown_province", "no province has this key: see PROVINCES for all 31") from None
