"""Look up a request by national ID and tracking code."""

from fastapi import APIRouter, Request, Response

from desk.chassis.app import problems, source_of
from desk.chassis.problem import RateLimitExceededError, ServiceUnavailableError
from desk.tracking.domain import CaptchaExpiredError, CaptchaWrongError, RequestNotFoundError
from desk.tracking.forms import TrackingQuery
from desk.tracking.routes.dependencies import ServicesDep
from desk.tracking.routes.views import TrackingView, respond

router = APIRouter()


@router.post(
    "/api/tracking",
    summary="Look up a request",
    responses=problems(
        RequestNotFoundError, CaptchaWrongError, CaptchaExpiredError, RateLimitExceededError, ServiceUnavailableError
    ),
)
async def track(query: TrackingQuery, request: Request, response: Response, services: ServicesDep) -> TrackingView:
    """Return state, history and answer of the request with this national ID and tracking code."""
    source = source_of(request)
    await services.lookup_guard.check(query, source)
    try:
        overview = await services.actions.view(query.national_id, query.tracking_code)
    except RequestNotFoundError:
        await services.lookup_guard.record_miss(source)
        raise
    return respond(services, response, overview, query.tracking_code)
