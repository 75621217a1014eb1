"""Figures as a workbook for spreadsheets (XLSX). Texts are stored as texts, so none can become a formula or a link."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import xlsxwriter

Cell: TypeAlias = str | int | float | None
_NO_GUESSES = {
    "in_memory": True,
    "strings_to_formulas": False,
    "strings_to_numbers": False,
    "strings_to_urls": False,
}
_WIDEST = 40


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet: its name, the titles of its columns, and its rows."""

    name: str
    titles: Sequence[str]
    rows: Sequence[Sequence[Cell]]


def to_xlsx(sheets: Sequence[Sheet], shown: Mapping[str, str]) -> bytes:
    """Return a workbook whose sheets are right to left; ``shown`` has words for texts, such as a small count."""
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, _NO_GUESSES) as book:
        heading = book.add_format({"bold": True, "bg_color": "#E7F0EC", "border": 1, "text_wrap": True})
        for sheet in sheets:
            page = book.add_worksheet(sheet.name)
            page.right_to_left()
            page.freeze_panes(1, 0)
            for column, title in enumerate(sheet.titles):
                page.write_string(0, column, title, heading)
                page.set_column(column, column, _width(sheet, column, shown))
            for number, row in enumerate(sheet.rows, start=1):
                for column, value in enumerate(row):
                    if isinstance(value, str):
                        page.write_string(number, column, shown.get(value, value))
                    elif value is not None:
                        page.write_number(number, column, value)
    return content.getvalue()


def _width(sheet: Sheet, column: int, shown: Mapping[str, str]) -> int:
    texts = [sheet.titles[column], *(str(row[column]) for row in sheet.rows if row[column] is not None)]
    return min(_WIDEST, max(len(shown.get(text, text)) for text in texts) + 3)
