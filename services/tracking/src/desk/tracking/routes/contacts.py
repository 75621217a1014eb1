"""The applicant gives another mobile."""

from fastapi import APIRouter, Request, Response

from desk.chassis.app import problems, source_of
from desk.chassis.problem import IdempotencyKeyMissingError, RateLimitExceededError, ServiceUnavailableError
from desk.tracking.domain import (
    ContactChangesExhaustedError,
    ContactNotChangeableError,
    IdempotencyKeyReusedError,
    MobileCodeExpiredError,
    MobileCodeWrongError,
    MobileUnchangedError,
    TrackingTokenExpiredError,
    TrackingTokenInvalidError,
    TrackingTokenMissingError,
)
from desk.tracking.forms import ContactChange
from desk.tracking.routes.dependencies import ActorDep, ServicesDep
from desk.tracking.routes.views import TrackingView, respond
from desk.tracking.service import NewMobile

router = APIRouter()


@router.post(
    "/api/tracking/contact",
    summary="Give another mobile",
    responses=problems(
        TrackingTokenMissingError,
        TrackingTokenInvalidError,
        TrackingTokenExpiredError,
        IdempotencyKeyMissingError,
        IdempotencyKeyReusedError,
        ContactNotChangeableError,
        MobileUnchangedError,
        MobileCodeWrongError,
        MobileCodeExpiredError,
        ContactChangesExhaustedError,
        RateLimitExceededError,
        ServiceUnavailableError,
    ),
)
async def change_contact(
    form: ContactChange, request: Request, response: Response, actor: ActorDep, services: ServicesDep
) -> TrackingView:
    """Make the mobile that of the request. The one before gets a message about it, without the new number."""
    new = NewMobile(form.mobile, form.mobile_code.id, form.mobile_code.answer)
    code = actor.session.tracking_code
    changed = await services.contacts.change(code, actor.key, new, source_of(request))
    return respond(services, response, services.actions.overview(*changed), actor.session)
