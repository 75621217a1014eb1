"""Tracking's one public route."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel

from desk.chassis.app import problems, source_of
from desk.chassis.budget import Budgets
from desk.chassis.crypto import TokenIssuer
from desk.chassis.events import Moment
from desk.chassis.problem import BudgetExhaustedError, ServiceUnavailableError
from desk.tracking.clients import CaptchaClient, Lookup
from desk.tracking.domain import (
    TITLES,
    CaptchaExpiredError,
    CaptchaWrongError,
    RequestNotFoundError,
    State,
)
from desk.tracking.events import Named, Titled
from desk.tracking.forms import TrackingQuery
from desk.tracking.service import Overview, Tracking
from desk.tracking.settings import Settings

TOKEN_ISSUER, TOKEN_AUDIENCE = "tracking", "desk.tracking"

router = APIRouter()


class FileView(BaseModel):
    """A file of an answer; ``size`` in bytes."""

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


class TrackingView(BaseModel):
    """Where a request stands. ``actions`` names what the applicant may do next, by ``token``.

    ``registry_lookups`` tells when the civil registry was asked about the applicant, newest first; it is null while
    that cannot be said.
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
    actions: list[str]
    token: str


class Doorkeeper:
    """Decides whether a look-up may be made at all: counts tries and has the security code checked."""

    def __init__(self, budgets: Budgets, captcha: CaptchaClient, settings: Settings) -> None:
        self._budgets = budgets
        self._captcha = captcha
        self._settings = settings

    async def admit(self, query: TrackingQuery, source: str) -> None:
        """Let one look-up through. Raises BudgetExhaustedError, RequestNotFoundError and the captcha's errors."""
        await self._budgets.demand(self._settings.misses_per_source, "misses", source)
        await self._budgets.spend(self._settings.lookups_per_source, "lookups", source)
        query.demand_plausible_code()
        await self._captcha.demand(query.captcha.id, query.captcha.answer)

    async def record_miss(self, source: str) -> None:
        """Count a code nobody has."""
        await self._budgets.spend(self._settings.misses_per_source, "misses", source)


async def _tracking(request: Request) -> Tracking:
    tracking: Tracking = request.app.state.tracking
    return tracking


async def _doorkeeper(request: Request) -> Doorkeeper:
    doorkeeper: Doorkeeper = request.app.state.doorkeeper
    return doorkeeper


@router.post(
    "/api/tracking",
    summary="See where a request stands",
    responses=problems(
        RequestNotFoundError, CaptchaWrongError, CaptchaExpiredError, BudgetExhaustedError, ServiceUnavailableError
    ),
)
async def track(
    query: TrackingQuery,
    request: Request,
    response: Response,
    tracking: Annotated[Tracking, Depends(_tracking)],
    doorkeeper: Annotated[Doorkeeper, Depends(_doorkeeper)],
) -> TrackingView:
    """Show state, history and answer to whoever knows national ID and tracking code."""
    source = source_of(request)
    await doorkeeper.admit(query, source)
    try:
        overview = await tracking.overview(query.national_id, query.tracking_code)
    except RequestNotFoundError:
        await doorkeeper.record_miss(source)
        raise
    issuer: TokenIssuer = request.app.state.tokens
    seconds: int = request.app.state.token_seconds
    token, _ = issuer.issue({"sub": query.tracking_code}, audience=TOKEN_AUDIENCE, seconds=seconds)
    response.headers["Cache-Control"] = "no-store"
    return _view(overview, query.tracking_code, token)


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
            StepView(at=step.at, state=step.state, title=TITLES[step.state], note=step.note)
            for step in overview.history
        ],
        answer=AnswerView.model_validate(answer, from_attributes=True) if answer else None,
        registry_lookups=overview.lookups,
        actions=[],
        token=token,
    )
