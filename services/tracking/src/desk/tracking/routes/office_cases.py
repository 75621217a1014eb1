"""A case by its tracking code, for the office that has it and for headquarters."""

from typing import Annotated, Literal, Self

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel

from desk.chassis.app import problems, source_of
from desk.chassis.client_assertions import ASSERTION_ERRORS
from desk.chassis.moments import Moment
from desk.chassis.problem import RateLimitExceededError
from desk.tracking.domain import (
    HEADQUARTERS_NOTIFIED,
    PROVINCE_NOTIFIED,
    TITLES,
    CaseOfOfficeNotFoundError,
    State,
)
from desk.tracking.events import Named, Stay, Titled
from desk.tracking.routes.dependencies import CaseReaderDep, ServicesDep
from desk.tracking.service import CaseSummary, named_office

router = APIRouter()

Late = Literal["no", "office_notified", "headquarters_notified"]
_LATE: dict[int, Late] = {PROVINCE_NOTIFIED: "office_notified", HEADQUARTERS_NOTIFIED: "headquarters_notified"}


class StayView(BaseModel):
    """How long an office had the case: ``until`` is null for the present one. Of several stays only the latest."""

    office: Named
    since: Moment | None
    """Null if that was not recorded."""
    until: Moment | None


class OfficeCaseView(BaseModel):
    """A case without personal data. ``province``, ``subject`` and ``sub_subject`` are null once it is erased."""

    tracking_code: str
    state: State
    state_title: str
    since: Moment
    """When the present state began."""
    office: Named
    """The office that has it."""
    province: Named | None
    subject: Titled | None
    sub_subject: Titled | None
    submitted_at: Moment
    due_at: Moment
    """The day that was promised to the applicant."""
    office_due_at: Moment | None
    """When the present office has to answer, if it got the case after ``due_at``."""
    next_deadline_at: Moment | None
    """When the next period ends: of the answer, of a notice to headquarters, or of an objection."""
    late: Late
    """Who was notified that the answer of the present office is late."""
    objections: int
    trail: list[StayView]
    """The offices that have had it, the present one last."""

    @classmethod
    def of(cls, found: CaseSummary) -> Self:
        """Return the view of a case."""
        case = found.case
        return cls(
            tracking_code=case.tracking_code,
            state=case.state,
            state_title=TITLES[case.state],
            since=case.since,
            office=Named.model_validate(named_office(case.province)),
            province=found.province and Named.model_validate(found.province),
            subject=found.subject and Titled.model_validate(found.subject),
            sub_subject=found.sub_subject and Titled.model_validate(found.sub_subject),
            submitted_at=case.submitted_at,
            due_at=case.due_at,
            office_due_at=case.office_due_at,
            next_deadline_at=case.alarm_at,
            late=_LATE.get(case.overdue, "no"),
            objections=case.objections,
            trail=[_stay(each) for each in found.trail],
        )


def _stay(stay: Stay) -> StayView:
    return StayView(office=stay.office, since=stay.since, until=stay.until)


@router.get(
    "/api/office/cases/{tracking_code}",
    summary="A case of an office, or any case for headquarters",
    responses=problems(*ASSERTION_ERRORS, CaseOfOfficeNotFoundError, RateLimitExceededError),
)
async def find_case(
    tracking_code: Annotated[str, Path(pattern="^[0-9]{12}$")],
    caller: CaseReaderDep,
    request: Request,
    response: Response,
    services: ServicesDep,
) -> OfficeCaseView:
    """Return the state, the dates and the offices of a case; a province gets its own, headquarters all."""
    response.headers["Cache-Control"] = "no-store"
    return OfficeCaseView.of(await services.office_cases.find(caller, tracking_code, source_of(request)))
