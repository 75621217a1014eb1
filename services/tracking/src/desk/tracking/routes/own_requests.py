"""List the requests of an applicant who has proven the mobile, and open one of them without its code being typed."""

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
    MobileCodeExpiredError,
    MobileCodeWrongError,
    RequestNotFoundError,
    TrackingTokenExpiredError,
    TrackingTokenInvalidError,
    TrackingTokenMissingError,
)
from desk.tracking.forms import OwnRequestsQuery
from desk.tracking.routes.dependencies import ServicesDep, SessionDep
from desk.tracking.routes.guards import TrackingSession
from desk.tracking.routes.views import OwnRequestsView, OwnRequestView, TrackingView, issue_token, respond

router = APIRouter()


@router.post(
    "/api/tracking/requests",
    summary="List the requests of an applicant",
    responses=problems(
        MobileCodeWrongError,
        MobileCodeExpiredError,
        ProofWrongError,
        ProofExpiredError,
        ProofRequiredError,
        ServiceUnavailableError,
    ),
)
async def list_own(
    query: OwnRequestsQuery, request: Request, response: Response, services: ServicesDep
) -> OwnRequestsView:
    """Return the newest requests of this national ID whose contact has this mobile, which the code proves."""
    source = source_of(request)
    async with services.own_requests_guard.admit(query, source) as admission:
        found, more = await services.own_requests.find(query.national_id, query.mobile, source)
        admission.empty = not found
    response.headers["Cache-Control"] = "no-store"
    sessions = [TrackingSession.begin(each.request.tracking_code) for each in found]
    views = [OwnRequestView.of(own, issue_token(services, each)) for own, each in zip(found, sessions, strict=True)]
    return OwnRequestsView(requests=views, more=more)


@router.get(
    "/api/tracking/request",
    summary="Open a request of the list",
    responses=problems(
        TrackingTokenMissingError,
        TrackingTokenInvalidError,
        TrackingTokenExpiredError,
        RequestNotFoundError,
        RateLimitExceededError,
    ),
)
async def open_request(
    session: SessionDep, request: Request, response: Response, services: ServicesDep
) -> TrackingView:
    """Return the request of the tracking token, as a look-up does, with a token for its actions."""
    overview = await services.actions.view_again(session.tracking_code, source_of(request))
    return respond(services, response, overview, session)
