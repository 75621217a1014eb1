"""Bars of a chart, and cells of a table for a spreadsheet."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

LONGEST = 100.0
"""The length of the longest bar of a chart."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet takes a text that begins with one of these for a formula."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar: its label, its length (0 to 100) and the value that it stands for; None for a value that is not shown."""

    label: str
    length: float
    value: float | None


def bars(values: Iterable[tuple[str, float | str | None]]) -> list[Bar]:
    """Return a bar for each value; a suppressed value, which is a text, and a missing one have no length."""
    numbers = [(label, None if isinstance(value, str) else value) for label, value in values]
    greatest = max((value for _, value in numbers if value is not None), default=0)
    return [Bar(label, _length(value, greatest), value) for label, value in numbers]


def _length(value: float | None, greatest: float) -> float:
    return round(LONGEST * value / greatest, 1) if value and greatest else 0.0


def to_csv(rows: Iterable[Sequence[object]]) -> bytes:
    """Return rows as CSV in UTF-8 with a byte order mark, which spreadsheets need; no cell is taken for a formula."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerows([[_cell(value) for value in row] for row in rows])
    return text.getvalue().encode("utf-8-sig")


def _cell(value: object) -> object:
    if value is None:
        return ""
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value
