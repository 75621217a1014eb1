"""The figures of an office, for the office itself and for headquarters."""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field, TypeAdapter

from desk.chassis.app import problems
from desk.chassis.client_assertions import ASSERTION_ERRORS
from desk.chassis.moments import Moment
from desk.iran.offices import OFFICES, office
from desk.tracking.domain import (
    MONTHS_MAX,
    Counts,
    MonthCounts,
    MonthFigures,
    OfficeNotPermittedError,
    PeriodInvalidError,
    Shown,
    figures_of,
    totals_by,
)
from desk.tracking.forms import FiguresQuery
from desk.tracking.routes.dependencies import OfficeDep, ServicesDep
from desk.tracking.service import CountedPeriod

router = APIRouter()

Count = Annotated[Shown, Field(description="`<5` for 1 to 4; `suppressed` if one of these would follow from it")]


class CountsView(BaseModel):
    """Counts of requests. Days are working days from the submission to the first answer.

    Percentiles and the mean are null for fewer than five answers or ratings.
    """

    requests: Count
    open: Count
    """Those in which the office, or the applicant, has yet to act."""
    overdue: Count
    """The open ones whose answer is late."""
    answered: Count
    median_days: int | None
    """Within so many working days half of the answered were answered."""
    p90_days: int | None
    """Within so many working days nine of ten of the answered were answered."""
    objections: Count
    ratings: Count
    rating_mean: float | None
    """From 1 (bad) to 5 (very good)."""


class CellView(CountsView):
    """The figures of a sub-subject at an office, of the requests that were submitted in a month."""

    month: str
    """Jalali, ``1405-09``."""
    office: str
    subject: str
    """The key of the catalogue; ``unknown`` for requests that could not be read."""
    sub_subject: str


class OfficeMonthView(CountsView):
    """The figures of an office, of the requests that were submitted in a month."""

    month: str
    office: str


class OfficeTotalView(CountsView):
    """The sum of what is shown of an office in its months; ``incomplete`` names the counts that lack a part of it."""

    office: str
    name: str
    incomplete: list[str]


class MonthTotalView(CountsView):
    """The sum of what is shown of a month in the offices; ``incomplete`` names the counts that lack a part of it."""

    month: str
    incomplete: list[str]


class FiguresView(BaseModel):
    """The figures of the requests submitted in the months from ``from`` to ``until``, as they were at ``at``.

    A request is counted at the office that has it now. Those that wait for the civil registry, or were not confirmed by
    it, are not counted. Erased ones are. ``office`` is null for the figures of all offices.
    """

    from_: Annotated[str, Field(serialization_alias="from")]
    until: str
    at: Moment
    office: str | None
    offices: list[OfficeTotalView]
    months: list[MonthTotalView]
    office_months: list[OfficeMonthView]
    figures: list[CellView]


@dataclass(frozen=True, slots=True)
class RenderedMonth:
    """The figures of an office in a month, and its part of the JSON list ``figures``."""

    figures: MonthFigures
    json: str


@lru_cache(maxsize=MONTHS_MAX * len(OFFICES))
def render(counts: MonthCounts) -> RenderedMonth:
    """Return the figures of an office in a month. They are kept until its counts change, because few do."""
    figures = figures_of(counts)
    month, office = figures.of.month, figures.of.office
    views = [
        CellView(month=month, office=office, subject=subject, sub_subject=sub_subject, **_fields(shown))
        for (subject, sub_subject), shown in figures.cells.items()
    ]
    return RenderedMonth(replace(figures, cells={}), _CELLS.dump_json(views).decode()[1:-1])


_CELLS = TypeAdapter(list[CellView])
_COUNTS = tuple(CountsView.model_fields)


def _fields(counts: Counts) -> dict[str, Any]:
    return {name: getattr(counts, name) for name in _COUNTS}


def respond(found: CountedPeriod) -> str:
    """Return the JSON of a :class:`FiguresView`; most of it is rendered already."""
    rendered = [render(counts) for counts in found.counts]
    figures = [each.figures for each in rendered]
    view = FiguresView(
        from_=str(found.scope.period.first),
        until=str(found.scope.period.last),
        at=found.at,
        office=found.scope.office,
        offices=[
            OfficeTotalView(
                office=it.key, name=office(it.key).name, incomplete=list(it.incomplete), **_fields(it.counts)
            )
            for it in totals_by(figures, lambda of: of.office)
        ],
        months=[
            MonthTotalView(month=it.key, incomplete=list(it.incomplete), **_fields(it.counts))
            for it in totals_by(figures, lambda of: of.month)
        ],
        office_months=[OfficeMonthView(month=it.of.month, office=it.of.office, **_fields(it.total)) for it in figures],
        figures=[],
    )
    head = view.model_dump_json(by_alias=True, exclude={"figures"}).removesuffix("}")
    return f'{head},"figures":[{",".join(each.json for each in rendered if each.json)}]}}'


@router.get(
    "/api/office/figures",
    summary="Figures of an office, or of all for headquarters",
    response_model=FiguresView,
    responses=problems(*ASSERTION_ERRORS, OfficeNotPermittedError, PeriodInvalidError),
)
async def figures(query: Annotated[FiguresQuery, Query()], caller: OfficeDep, services: ServicesDep) -> Response:
    """Return counts by month of submission, office, subject and sub-subject, with totals; small ones are not shown."""
    scope = services.figures.scope(caller, query.office, query.from_, query.until)
    body = await services.figure_documents.get(scope)
    return Response(body, media_type="application/json", headers={"Cache-Control": "no-store"})
