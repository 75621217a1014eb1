"""Tracking's public routes: see where a request stands, and act on it."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, ConfigDict

from desk.chassis.app import problems, source_of
from desk.chassis.crypto import TokenError, TokenExpiredError, TokenIssuer, TokenReader
from desk.chassis.events import Moment
from desk.chassis.problem import RateLimitExceededError, ServiceUnavailableError
from desk.chassis.rate_limits import RateLimits
from desk.tracking.clients import CaptchaClient, Lookup
from desk.tracking.domain import (
    TITLES,
    Action,
    ActionNotPossibleError,
    AlreadyObjectedError,
    AlreadyRatedError,
    CaptchaExpiredError,
    CaptchaWrongError,
    IdempotencyKeyMissingError,
    IdempotencyKeyReusedError,
    ObjectionTooLateError,
    RequestNotFoundError,
    State,
    TrackingTokenExpiredError,
    TrackingTokenInvalidError,
    TrackingTokenMissingError,
    UnknownFileError,
)
from desk.tracking.events import Named, Titled
from desk.tracking.forms import Objection, Rating, Reply, TrackingQuery, Withdrawal
from desk.tracking.service import Moves, Office, Overview, Words
from desk.tracking.settings import Settings

TOKEN_ISSUER, TOKEN_AUDIENCE = "tracking", "desk.tracking"

router = APIRouter()
_bearer = HTTPBearer(auto_error=False, description="tracking token")
_KEY_MIN, _KEY_MAX = 8, 64


class FileView(BaseModel):
    """A file of an answer or a reply, fetched at ``GET /api/files/{id}``; ``size`` in bytes."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    name: str
    size: int


class AnswerView(BaseModel):
    """The experts' answer."""

    text: str
    at: Moment
    files: list[FileView]


class StepView(BaseModel):
    """One step of the history."""

    at: Moment
    state: State
    title: str
    note: str | None
    action: Action | None
    """What the applicant did, if it was the applicant's step."""
    files: list[FileView]
    """What the applicant sent with it."""


class TrackingView(BaseModel):
    """Where a request stands. ``actions`` names what the applicant may do next, by ``token``.

    ``objection_until`` is the last moment of an objection, if one is possible. ``registry_lookups`` tells when the
    civil registry was asked about the applicant, newest first; it is null while that cannot be said.
    """

    tracking_code: str
    state: State
    state_title: str
    submitted_at: Moment
    due_at: Moment
    province: Named
    subject: Titled
    sub_subject: Titled
    history: list[StepView]
    answer: AnswerView | None
    registry_lookups: list[Lookup] | None
    actions: list[Action]
    objection_until: Moment | None
    token: str


class Doorkeeper:
    """Decides whether a look-up may be made at all: counts tries and has the security code checked."""

    def __init__(self, rate_limits: RateLimits, captcha: CaptchaClient, settings: Settings) -> None:
        self._budgets = rate_limits
        self._captcha = captcha
        self._settings = settings

    async def admit(self, query: TrackingQuery, source: str) -> None:
        """Let one look-up through. Raises RateLimitExceededError, RequestNotFoundError and the captcha's errors."""
        await self._budgets.require_available(self._settings.misses_per_source, "misses", source)
        await self._budgets.reserve(self._settings.lookups_per_source, "lookups", source)
        query.demand_plausible_code()
        await self._captcha.demand(query.captcha.id, query.captcha.answer)

    async def record_miss(self, source: str) -> None:
        """Count a code nobody has."""
        await self._budgets.reserve(self._settings.misses_per_source, "misses", source)


async def _moves(request: Request) -> Moves:
    moves: Moves = request.app.state.moves
    return moves


async def _doorkeeper(request: Request) -> Doorkeeper:
    doorkeeper: Doorkeeper = request.app.state.doorkeeper
    return doorkeeper


MovesDep = Annotated[Moves, Depends(_moves)]


@router.post(
    "/api/tracking",
    summary="See where a request stands",
    responses=problems(
        RequestNotFoundError, CaptchaWrongError, CaptchaExpiredError, RateLimitExceededError, ServiceUnavailableError
    ),
)
async def track(
    query: TrackingQuery,
    request: Request,
    response: Response,
    moves: MovesDep,
    doorkeeper: Annotated[Doorkeeper, Depends(_doorkeeper)],
) -> TrackingView:
    """Show state, history and answer to whoever knows national ID and tracking code."""
    source = source_of(request)
    await doorkeeper.admit(query, source)
    try:
        overview = await moves.overview(query.national_id, query.tracking_code)
    except RequestNotFoundError:
        await doorkeeper.record_miss(source)
        raise
    return _answer(request, response, overview, query.tracking_code)


async def _holder(
    request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> str:
    """Give the tracking code the bearer may act on, and count the move."""
    reader: TokenReader = request.app.state.token_reader
    if credentials is None:
        raise TrackingTokenMissingError
    try:
        tracking_code = str(reader.read(credentials.credentials)["sub"])
    except TokenExpiredError:
        raise TrackingTokenExpiredError from None
    except (TokenError, KeyError) as error:
        raise TrackingTokenInvalidError(type(error).__name__) from None
    rate_limits: RateLimits = request.app.state.rate_limits
    office: Office = request.app.state.office
    await rate_limits.reserve(request.app.state.moves_per_request, "moves", office.vault.index(tracking_code, "moves"))
    return tracking_code


async def _idempotency_key(
    idempotency_key: Annotated[
        str | None, Header(description=f"{_KEY_MIN} to {_KEY_MAX} letters, digits or hyphens, e.g. a UUID")
    ] = None,
) -> str:
    key = idempotency_key or ""
    if not _KEY_MIN <= len(key) <= _KEY_MAX or not key.isascii() or not key.replace("-", "").isalnum():
        raise IdempotencyKeyMissingError
    return key


@dataclass(frozen=True, slots=True)
class Mover:
    """Who acts: the request's tracking code, by the token, and the key by which a repeat is known."""

    tracking_code: str
    key: str


async def _mover(
    tracking_code: Annotated[str, Depends(_holder)], key: Annotated[str, Depends(_idempotency_key)]
) -> Mover:
    return Mover(tracking_code, key)


MoverDep = Annotated[Mover, Depends(_mover)]
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
async def reply(form: Reply, request: Request, response: Response, mover: MoverDep, moves: MovesDep) -> TrackingView:
    """Take the answer with its files, whereupon the experts go on."""
    words = Words(form.text, files=tuple(map(str, form.files)))
    overview = await moves.act(mover.tracking_code, mover.key, Action.REPLY, words)
    return _answer(request, response, overview, mover.tracking_code)


@router.post("/api/tracking/withdrawal", summary="Take the request back", responses=problems(*_REFUSALS))
async def withdraw(
    form: Withdrawal, request: Request, response: Response, mover: MoverDep, moves: MovesDep
) -> TrackingView:
    """End the request as its applicant wishes."""
    overview = await moves.act(mover.tracking_code, mover.key, Action.WITHDRAW, Words(form.reason))
    return _answer(request, response, overview, mover.tracking_code)


@router.post("/api/tracking/rating", summary="Rate the answer", responses=problems(*_REFUSALS, AlreadyRatedError))
async def rate(form: Rating, request: Request, response: Response, mover: MoverDep, moves: MovesDep) -> TrackingView:
    """Take from one to five and a comment, once for each answer."""
    overview = await moves.act(mover.tracking_code, mover.key, Action.RATE, Words(form.comment, form.rating))
    return _answer(request, response, overview, mover.tracking_code)


@router.post(
    "/api/tracking/objection",
    summary="Object to the answer",
    responses=problems(*_REFUSALS, AlreadyObjectedError, ObjectionTooLateError),
)
async def object_to(
    form: Objection, request: Request, response: Response, mover: MoverDep, moves: MovesDep
) -> TrackingView:
    """Open the request again, once, for the province's supervisor."""
    overview = await moves.act(mover.tracking_code, mover.key, Action.OBJECT, Words(form.text))
    return _answer(request, response, overview, mover.tracking_code)


def _answer(request: Request, response: Response, overview: Overview, tracking_code: str) -> TrackingView:
    issuer: TokenIssuer = request.app.state.tokens
    seconds: int = request.app.state.token_seconds
    claims = {"sub": tracking_code, "actions": [action.value for action in overview.actions]}
    token, _ = issuer.issue(claims, audience=TOKEN_AUDIENCE, seconds=seconds)
    response.headers["Cache-Control"] = "no-store"
    return _view(overview, tracking_code, token)


def _view(overview: Overview, tracking_code: str, token: str) -> TrackingView:
    answer = overview.answer
    return TrackingView(
        tracking_code=tracking_code,
        state=overview.state,
        state_title=TITLES[overview.state],
        submitted_at=overview.request.submitted_at,
        due_at=overview.due_at,
        province=overview.province,
        subject=overview.request.subject,
        sub_subject=overview.request.sub_subject,
        history=[
            StepView(
                at=step.at,
                state=step.state,
                title=step.title,
                note=step.note,
                action=step.action,
                files=[FileView.model_validate(file) for file in step.files],
            )
            for step in overview.history
        ],
        answer=AnswerView.model_validate(answer, from_attributes=True) if answer else None,
        registry_lookups=overview.lookups,
        actions=list(overview.actions),
        objection_until=overview.objection_until,
        token=token,
    )
