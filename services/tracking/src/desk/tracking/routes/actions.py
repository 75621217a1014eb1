"""The applicant's actions: reply, withdraw, rate, object."""

from fastapi import APIRouter, Response

from desk.chassis.app import problems
from desk.chassis.problem import IdempotencyKeyMissingError, RateLimitExceededError, ServiceUnavailableError
from desk.tracking.domain import (
    Action,
    ActionNotPossibleError,
    AlreadyObjectedError,
    AlreadyRatedError,
    IdempotencyKeyReusedError,
    ObjectionTooLateError,
    TrackingTokenExpiredError,
    TrackingTokenInvalidError,
    TrackingTokenMissingError,
    UnknownFileError,
)
from desk.tracking.forms import Objection, Rating, Reply, Withdrawal
from desk.tracking.routes.dependencies import Actor, ActorDep, Services, ServicesDep
from desk.tracking.routes.views import TrackingView, respond
from desk.tracking.service import ActionContent

router = APIRouter()
_REFUSALS = (
    TrackingTokenMissingError,
    TrackingTokenInvalidError,
    TrackingTokenExpiredError,
    IdempotencyKeyMissingError,
    IdempotencyKeyReusedError,
    ActionNotPossibleError,
    RateLimitExceededError,
    ServiceUnavailableError,
)


@router.post(
    "/api/tracking/replies",
    summary="Answer the experts' question",
    responses=problems(*_REFUSALS, UnknownFileError),
)
async def reply(form: Reply, response: Response, actor: ActorDep, services: ServicesDep) -> TrackingView:
    """Send the answer and its files to the experts."""
    content = ActionContent(form.text, files=tuple(map(str, form.files)))
    return await _act(services, response, actor, Action.REPLY, content)


@router.post("/api/tracking/withdrawal", summary="Withdraw the request", responses=problems(*_REFUSALS))
async def withdraw(form: Withdrawal, response: Response, actor: ActorDep, services: ServicesDep) -> TrackingView:
    """End the request."""
    return await _act(services, response, actor, Action.WITHDRAW, ActionContent(form.reason))


@router.post("/api/tracking/rating", summary="Rate the answer", responses=problems(*_REFUSALS, AlreadyRatedError))
async def rate(form: Rating, response: Response, actor: ActorDep, services: ServicesDep) -> TrackingView:
    """Rate the answer from one to five, with a comment, once for each answer."""
    return await _act(services, response, actor, Action.RATE, ActionContent(form.comment, form.rating))


@router.post(
    "/api/tracking/objection",
    summary="Object to the answer",
    responses=problems(*_REFUSALS, AlreadyObjectedError, ObjectionTooLateError),
)
async def object_to(form: Objection, response: Response, actor: ActorDep, services: ServicesDep) -> TrackingView:
    """Open the request again, once, for the province's supervisor."""
    return await _act(services, response, actor, Action.OBJECT, ActionContent(form.text))


async def _act(
    services: Services, response: Response, actor: Actor, action: Action, content: ActionContent
) -> TrackingView:
    overview = await services.actions.act(actor.session.tracking_code, actor.key, action, content)
    return respond(services, response, overview, actor.session)
