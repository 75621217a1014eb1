"""Generates the table of Iran's official holidays, so that no service loads the library of all countries' holidays.

The library has them from 1980 to 2100. Dates of the Islamic calendar are computed; an office's file corrects them.
"""

import json
from pathlib import Path

from holidays import country_holidays

from desk.local.gateway_table import CHECKOUT

PATH = CHECKOUT / "libs" / "iran" / "src" / "desk" / "iran" / "official-holidays.json"
FIRST, LAST = 1980, 2100
"""Gregorian years."""


def documents() -> dict[Path, str]:
    """Return the table by its path: days as ``MM-DD`` by Gregorian year, one line each."""
    lines = (f' "{year}": {json.dumps(_days(year))}' for year in range(FIRST, LAST + 1))
    return {PATH: "{\n" + ",\n".join(lines) + "\n}\n"}


def _days(year: int) -> list[str]:
    return [f"{day:%m-%d}" for day in sorted(country_holidays("IR", years=year))]
