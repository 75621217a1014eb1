"""The published figures, for everyone."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from desk.chassis.app import problems
from desk.chassis.moments import Moment
from desk.iran.offices import office
from desk.tracking.domain import Counts, FiguresNotPublishedError, totals_by
from desk.tracking.routes.dependencies import ServicesDep
from desk.tracking.routes.figures import Count, render
from desk.tracking.service import CountedPeriod

router = APIRouter()


class PublicCountsView(BaseModel):
    """Counts of requests. Days are working days from the submission to the first answer; null for fewer than five."""

    requests: Count
    open: Count
    answered: Count
    median_days: int | None
    p90_days: int | None
    rating_mean: float | None
    """From 1 (bad) to 5 (very good); null for fewer than five ratings."""
    incomplete: list[str]
    """The counts that lack what is too small to be shown."""


class PublicMonthView(PublicCountsView):
    """The requests that were submitted in a Jalali month, ``1405-09``."""

    month: str


class PublicOfficeView(PublicCountsView):
    """The requests of an office in all months."""

    office: str
    name: str


class PublicFiguresView(BaseModel):
    """The published figures of the months from ``from`` to ``until``, as they were at ``at``."""

    from_: Annotated[str, Field(serialization_alias="from")]
    until: str
    at: Moment
    months: list[PublicMonthView]
    offices: list[PublicOfficeView]
    """Empty if only the totals of months are published."""


def _fields(counts: Counts) -> dict[str, object]:
    names = ("requests", "open", "answered", "median_days", "p90_days", "rating_mean")
    return {name: getattr(counts, name) for name in names}


def _view(found: CountedPeriod, *, with_offices: bool) -> PublicFiguresView:
    figures = [render(counts).figures for counts in found.counts]
    months = totals_by(figures, lambda of: of.month)
    offices = totals_by(figures, lambda of: of.office) if with_offices else []
    return PublicFiguresView(
        from_=str(found.scope.period.first),
        until=str(found.scope.period.last),
        at=found.at,
        months=[
            PublicMonthView.model_validate(
                _fields(each.counts) | {"month": each.key, "incomplete": _named(each.incomplete)}
            )
            for each in months
        ],
        offices=[
            PublicOfficeView.model_validate(
                _fields(each.counts)
                | {"office": each.key, "name": office(each.key).name, "incomplete": _named(each.incomplete)}
            )
            for each in offices
        ],
    )


def _named(incomplete: tuple[str, ...]) -> list[str]:
    return [name for name in incomplete if name in PublicCountsView.model_fields]


@router.get("/api/figures", summary="Published figures", responses=problems(FiguresNotPublishedError))
async def public_figures(response: Response, services: ServicesDep) -> PublicFiguresView:
    """Return the counts of the last twelve months that are over, if the organization publishes them."""
    found = await services.public_figures.count()
    response.headers["Cache-Control"] = "public, max-age=300"
    return await asyncio.to_thread(_view, found, with_offices=services.public_figures.with_offices)
