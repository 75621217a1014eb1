"""The response of every route: a request as its applicant may see it."""

from typing import Self

from fastapi import Response
from pydantic import BaseModel, ConfigDict

from desk.chassis.events import Moment
from desk.tracking.clients import Lookup
from desk.tracking.domain import TITLES, Action, State
from desk.tracking.events import Named, Titled
from desk.tracking.routes.dependencies import TOKEN_AUDIENCE, Services
from desk.tracking.service import Overview


class FileView(BaseModel):
    """A file of an answer or a reply, fetched at ``GET /api/files/{id}``; ``size`` in bytes."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    name: str
    size: int


class AnswerView(BaseModel):
    """The experts' answer."""

    model_config = ConfigDict(from_attributes=True)

    text: str
    at: Moment
    files: list[FileView]


class HistoryEntryView(BaseModel):
    """One entry of the history."""

    model_config = ConfigDict(from_attributes=True)

    at: Moment
    state: State
    title: str
    note: str | None
    action: Action | None
    """The applicant's action, if the entry records one."""
    files: list[FileView]
    """The files that the applicant sent."""


class TrackingView(BaseModel):
    """A request as its applicant may see it. ``actions`` lists the actions that ``token`` allows.

    ``objection_until`` is the last moment of an objection, if one is possible. ``registry_lookups`` lists the
    look-ups of the applicant in the civil registry, newest first; it is null while registry-gateway is unavailable.
    """

    tracking_code: str
    state: State
    state_title: str
    submitted_at: Moment
    due_at: Moment
    province: Named
    subject: Titled
    sub_subject: Titled
    history: list[HistoryEntryView]
    answer: AnswerView | None
    registry_lookups: list[Lookup] | None
    actions: list[Action]
    objection_until: Moment | None
    token: str

    @classmethod
    def of(cls, overview: Overview, tracking_code: str, token: str) -> Self:
        """Return the view of a request with a token for its actions."""
        return cls(
            tracking_code=tracking_code,
            state=overview.state,
            state_title=TITLES[overview.state],
            submitted_at=overview.request.submitted_at,
            due_at=overview.due_at,
            province=Named.model_validate(overview.province),
            subject=Titled.model_validate(overview.request.subject),
            sub_subject=Titled.model_validate(overview.request.sub_subject),
            history=[HistoryEntryView.model_validate(entry) for entry in overview.history],
            answer=AnswerView.model_validate(overview.answer) if overview.answer else None,
            registry_lookups=overview.lookups,
            actions=list(overview.actions),
            objection_until=overview.objection_until,
            token=token,
        )


def respond(services: Services, response: Response, overview: Overview, tracking_code: str) -> TrackingView:
    """Return the view with a new token; no cache may keep it."""
    claims = {"sub": tracking_code, "actions": [action.value for action in overview.actions]}
    token, _ = services.tokens.issue(claims, audience=TOKEN_AUDIENCE, seconds=services.token_seconds)
    response.headers["Cache-Control"] = "no-store"
    return TrackingView.of(overview, tracking_code, token)
