"""Look up a request by national ID and tracking code."""

from fastapi import APIRouter, Request, Response

from desk.chassis.app import problems, source_of
from desk.chassis.problem import (
    ProofExpiredError,
    ProofRequiredError,
    ProofWrongError,
    RateLimitExceededError,
    ServiceUnavailableError,
)
from desk.tracking.domain import (
    CaptchaExpiredError,
    CaptchaWrongError,
    RequestNotFoundError,
    TrackingTokenExpiredError,
    TrackingTokenInvalidError,
    TrackingTokenMissingError,
)
from desk.tracking.forms import TrackingQuery
from desk.tracking.routes.dependencies import ServicesDep, SessionDep
from desk.tracking.routes.guards import TrackingSession
from desk.tracking.routes.views import LookupsView, LookupView, TrackingView, respond

router = APIRouter()


@router.post(
    "/api/tracking",
    summary="Look up a request",
    responses=problems(
        RequestNotFoundError,
        CaptchaWrongError,
        CaptchaExpiredError,
        ProofWrongError,
        ProofExpiredError,
        ProofRequiredError,
        ServiceUnavailableError,
    ),
)
async def track(query: TrackingQuery, request: Request, response: Response, services: ServicesDep) -> TrackingView:
    """Return state, history and answer of the request with this national ID and tracking code."""
    async with services.lookup_guard.admit(query, source_of(request)):
        overview = await services.actions.view(query.national_id, query.tracking_code, source_of(request))
    return respond(services, response, overview, TrackingSession.begin(query.tracking_code))


@router.get(
    "/api/tracking/lookups",
    summary="List the look-ups in the civil registry",
    responses=problems(
        TrackingTokenMissingError,
        TrackingTokenInvalidError,
        TrackingTokenExpiredError,
        RequestNotFoundError,
        RateLimitExceededError,
        ServiceUnavailableError,
    ),
)
async def lookups(session: SessionDep, response: Response, services: ServicesDep) -> LookupsView:
    """Return when the civil registry was asked about the applicant of the tracked request."""
    response.headers["Cache-Control"] = "no-store"
    found = await services.actions.list_lookups(session.tracking_code)
    return LookupsView(lookups=[LookupView.model_validate(each) for each in found])
