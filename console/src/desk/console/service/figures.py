"""The desk's figures of an office, or of all offices for headquarters, as the pages show them."""

from dataclasses import dataclass

from desk.console.clients import DeskClients
from desk.console.domain.accounts import Account
from desk.console.domain.charts import Bar, bars, to_csv
from desk.expert import FigureSet, FiguresRefusedError
from desk.iran.jalali import MONTHS

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

    async def _read(self, account: Account, first: str, last: str) -> FigureSet:
        client = self.clients.get(account.province)
        if client is None:
            raise FiguresRefusedError("no_client", f"{account.province} is no office of this console")
        return await client.figures(first or None, last or None)


def month_name(month: str) -> str:
    """Return the Persian name of a month such as ``1405-09``."""
    year, number = month.split("-")
    return f"{MONTHS[int(number) - 1]} {year}"
