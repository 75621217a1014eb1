"""Look up a request by national ID and tracking code."""

from fastapi import APIRouter, Request, Response

from desk.chassis.app import problems, source_of
from desk.chassis.problem import ProofExpiredError, ProofRequiredError, ProofWrongError, ServiceUnavailableError
from desk.tracking.domain import CaptchaExpiredError, CaptchaWrongError, RequestNotFoundError
from desk.tracking.forms import TrackingQuery
from desk.tracking.routes.dependencies import ServicesDep
from desk.tracking.routes.guards import TrackingSession
from desk.tracking.routes.views import TrackingView, respond

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
