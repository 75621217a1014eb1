"""The desk's figures of an office, or of all offices for headquarters, as the pages show them."""

import asyncio
from dataclasses import dataclass

from desk.console.clients import DeskClients
from desk.console.domain.accounts import Account
from desk.console.domain.charts import Bar, bars, to_csv
from desk.console.service.spreadsheets import Cell, Sheet, to_xlsx
from desk.expert import FigureSet, FiguresRefusedError
from desk.expert.figures import Counts
from desk.iran.jalali import MONTHS
from desk.iran.offices import UnknownOfficeError, office

TITLES = {
    "requests": "درخواست",
    "open": "باز",
    "overdue": "مهلت گذشته",
    "answered": "پاسخ داده",
    "median_days": "میانهٔ روزهای کاری تا پاسخ",
    "p90_days": "۹۰٪ پاسخ‌ها تا روز کاری",
    "objections": "اعتراض",
    "ratings": "ارزیابی",
    "rating_mean": "میانگین امتیاز",
}
"""The counts of a sheet, with their titles."""
SHOWN = {"<5": "کمتر از ۵", "suppressed": "پنهان"}
HEADER = (
    "month",
    "office",
    "requests",
    "open",
    "overdue",
    "answered",
    "median_days",
    "p90_days",
    "objections",
    "ratings",
    "rating_mean",
)


@dataclass(frozen=True, slots=True)
class FiguresPage:
    """The figures with the bars of their charts: requests by month, and by office the median days to an answer."""

    figures: FigureSet
    by_month: list[Bar]
    by_office: list[Bar]


@dataclass(frozen=True, slots=True)
class OfficeFigures:
    """Reads figures from the desk."""

    clients: DeskClients

    async def page(self, account: Account, first: str, last: str) -> FiguresPage:
        """Return the figures of the months from ``first`` to ``last``, the last twelve if empty.

        Raises FiguresRefusedError.
        """
        found = await self._read(account, first, last)
        return FiguresPage(
            found,
            bars((month_name(each.month), each.requests) for each in found.months),
            bars((each.name, each.median_days) for each in found.offices),
        )

    async def csv(self, account: Account, first: str, last: str) -> bytes:
        """Return the figures of each office and month as CSV. Raises FiguresRefusedError."""
        found = await self._read(account, first, last)
        rows = [[getattr(each, name) for name in HEADER] for each in found.office_months]
        return to_csv([HEADER, *rows])

    async def xlsx(self, account: Account, first: str, last: str) -> bytes:
        """Return a workbook: each office and month, the months, and the offices. Raises FiguresRefusedError."""
        found = await self._read(account, first, last)
        sheets = (
            Sheet(
                "ماه و اداره",
                ("ماه", "اداره", *TITLES.values()),
                [(month_name(each.month), office_name(each.office), *_counts(each)) for each in found.office_months],
            ),
            Sheet(
                "ماه‌ها",
                ("ماه", *TITLES.values()),
                [(month_name(each.month), *_counts(each)) for each in found.months],
            ),
            Sheet("اداره‌ها", ("اداره", *TITLES.values()), [(each.name, *_counts(each)) for each in found.offices]),
        )
        return await asyncio.to_thread(to_xlsx, sheets, SHOWN)

    async def _read(self, account: Account, first: str, last: str) -> FigureSet:
        client = self.clients.get(account.province)
        if client is None:
            raise FiguresRefusedError("no_client", f"{account.province} is no office of this console")
        return await client.figures(first or None, last or None)


def office_name(key: str) -> str:
    """Return the name of an office; the key of one that this console does not know."""
    try:
        return office(key).name
    except UnknownOfficeError:
        return key


def _counts(counts: Counts) -> list[Cell]:
    return [getattr(counts, name) for name in TITLES]


def month_name(month: str) -> str:
    """Return the Persian name of a month such as ``1405-09``."""
    year, number = month.split("-")
    return f"{MONTHS[int(number) - 1]} {year}"
