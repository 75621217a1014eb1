"""Intake's routes for tracking, which the gateway passes to nobody."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel

from desk.chassis.app import Session, problems
from desk.chassis.events import Moment
from desk.intake import domain
from desk.intake.domain import IdentityState
from desk.intake.forms import CodesForm, FindForm, PromiseForm
from desk.intake.reply_files import ReplyFiles
from desk.intake.routes import AttachmentView, IntakeDep, RequestView, request_view
from desk.intake.service import StorageUnavailableError

router = APIRouter()
_State = Literal["registered", "identity_pending", "identity_rejected", "withdrawn"]
_STATES: dict[IdentityState, _State] = {
    IdentityState.PENDING: "identity_pending",
    IdentityState.REJECTED: "identity_rejected",
    IdentityState.WITHDRAWN: "withdrawn",
}


async def _reply_files(request: Request) -> ReplyFiles:
    reply_files: ReplyFiles = request.app.state.reply_files
    return reply_files


ReplyFilesDep = Annotated[ReplyFiles, Depends(_reply_files)]


class FoundRequest(RequestView):
    """A request as tracking is told of it, with where it stands here."""

    state: _State


class CodeView(BaseModel):
    """A request by its code, with where it stands here; ``since`` when, if its identity was pending before."""

    tracking_code: str
    state: _State
    since: Moment | None


class Codes(BaseModel):
    """A page of codes in their order, and what of intake's events the broker has not confirmed."""

    requests: list[CodeView]
    unsent: int
    oldest_unsent_seconds: float
    files_unannounced: int
    """Files promised before the end of the period to a reply that has not been announced."""


@router.post(
    "/internal/requests/find",
    summary="Find a person's request by its code",
    responses=problems(domain.RequestNotFoundError),
)
async def find(form: FindForm, session: Session, intake: IntakeDep) -> FoundRequest:
    """For tracking, which may be asked before it has heard of the request."""
    found = await intake.find(session, form.national_id, form.tracking_code)
    return FoundRequest.model_validate(request_view(found) | {"state": _STATES.get(found.identity, "registered")})


@router.post("/internal/requests/codes", summary="List the codes of a period, to compare")
async def codes(form: CodesForm, session: Session, intake: IntakeDep, reply_files: ReplyFilesDep) -> Codes:
    """For tracking's reconciliation: codes and states, page by page, and how many events wait for the broker."""
    found = await intake.codes(session, form.since, form.until, form.after, form.limit)
    unsent, oldest = await intake.outbox.backlog(session)
    return Codes(
        requests=[
            CodeView(tracking_code=code, state=_STATES.get(state, "registered"), since=since)
            for code, state, since in found
        ],
        unsent=unsent,
        oldest_unsent_seconds=oldest,
        files_unannounced=await reply_files.unannounced(session, form.until),
    )


@router.post(
    "/internal/requests/files",
    summary="Set files aside for a reply",
    responses=problems(domain.RequestNotFoundError, domain.UnknownAttachmentError, StorageUnavailableError),
)
async def promise(form: PromiseForm, reply_files: ReplyFilesDep) -> list[AttachmentView]:
    """For tracking, before it takes the reply; what it then announces is kept for good."""
    ids = list(dict.fromkeys(map(str, form.files)))
    found = await reply_files.promise(form.tracking_code, form.reply, ids)
    return [AttachmentView.model_validate(each, from_attributes=True) for each in found]
