"""Figures of offices: how many requests there were, what became of them, and how fast they were answered."""

from typing import Literal, TypeAlias

import httpx
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from desk.expert.calls import SignedCalls
from desk.expert.errors import FiguresRefusedError

AUDIENCE = "desk.figures"
HEADQUARTERS = "headquarters"
Count: TypeAlias = int | Literal["<5", "suppressed"]
"""``<5`` is a count from 1 to 4, ``suppressed`` one from which such a count would follow."""


class Counts(BaseModel):
    """Counts of requests. Days are working days from the submission to the first answer.

    ``median_days``, ``p90_days`` and ``rating_mean`` (1 to 5) are None for fewer than five answers or ratings.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    requests: Count
    open: Count
    overdue: Count
    answered: Count
    median_days: int | None
    p90_days: int | None
    objections: Count
    ratings: Count
    rating_mean: float | None


class Figure(Counts):
    """The figures of a sub-subject at an office, of the requests submitted in a Jalali month, ``1405-09``."""

    month: str
    office: str
    subject: str
    sub_subject: str


class OfficeMonth(Counts):
    """The figures of an office, of the requests submitted in a month."""

    month: str
    office: str


class OfficeTotal(Counts):
    """The sum of an office's months; ``incomplete`` names the counts of which a part is not shown nor in the sum."""

    office: str
    name: str
    incomplete: list[str]


class MonthTotal(Counts):
    """The sum of a month over the offices; ``incomplete`` as in :class:`OfficeTotal`."""

    month: str
    incomplete: list[str]


class FigureSet(BaseModel):
    """The figures of the requests submitted in the months from ``first`` to ``last``, as they were at ``at``."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    first: str = Field(alias="from")
    last: str = Field(alias="until")
    at: AwareDatetime
    office: str | None
    """None for the figures of all offices."""
    offices: list[OfficeTotal]
    months: list[MonthTotal]
    office_months: list[OfficeMonth]
    figures: list[Figure]


class Figures:
    """A client of the desk's route for figures."""

    def __init__(
        self, url: str, office: str, private_key: str, *, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        """``office`` is a province's key or ``headquarters``; ``private_key`` the PEM of its own Ed25519 key."""
        self._calls = SignedCalls(url, office, private_key, AUDIENCE, FiguresRefusedError, transport=transport)

    async def read(self, first: str | None = None, last: str | None = None, *, office: str | None = None) -> FigureSet:
        """Return the figures of the months from ``first`` to ``last``, such as ``1405-01``, by default the last twelve.

        Headquarters gets those of all offices, or of one. Raises FiguresRefusedError.
        """
        wanted = {"from": first, "until": last, "office": office}
        params = {name: value for name, value in wanted.items() if value is not None}
        answer = await self._calls.send("GET", "/api/office/figures", params=params)
        try:
            return FigureSet.model_validate_json(self._calls.require_success(answer).content)
        except ValidationError as error:
            raise FiguresRefusedError("unreadable", f"{error.error_count()} fields differ from the contract") from error

    async def close(self) -> None:
        """Close the connections."""
        await self._calls.close()
