"""Intake's routes for tracking; the gateway does not forward them."""

from dataclasses import asdict
from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel

from desk.chassis.app import problems
from desk.chassis.app.dependencies import Session
from desk.chassis.moments import Moment
from desk.chassis.service_tokens import CallerUnknownError, called_by
from desk.intake import domain
from desk.intake.domain import IdentityState
from desk.intake.events import ContentData, RepresentativeData
from desk.intake.internal_forms import (
    AnswerFilesForm,
    CodesForm,
    ErasedCodeForm,
    ErasedCodesForm,
    FindForm,
    PromiseForm,
    StateForm,
)
from desk.intake.routes.attachments import AttachmentView
from desk.intake.routes.dependencies import ServicesDep
from desk.intake.routes.requests import RequestView, describe_request

router = APIRouter(dependencies=[called_by("tracking")])
_State = Literal["registered", "identity_pending", "identity_rejected", "withdrawn"]
_STATES: dict[IdentityState, _State] = {
    IdentityState.PENDING: "identity_pending",
    IdentityState.REJECTED: "identity_rejected",
    IdentityState.WITHDRAWN: "withdrawn",
}


class ContactView(BaseModel):
    """The applicant's contact data; phones in E.164."""

    mobile: str
    landline: str | None
    email: str | None


class FoundRequest(ContentData, RequestView):
    """A request for tracking, with its state at intake and what its applicant sent."""

    state: _State
    attachments: list[AttachmentView]
    contact: ContactView
    source: domain.Source
    representative: RepresentativeData | None


class CodeView(BaseModel):
    """The code of a request with its state at intake; ``since`` is set if its identity was pending before."""

    tracking_code: str
    state: _State
    since: Moment | None


class StateView(BaseModel):
    """The state of a request at intake."""

    state: _State


class Codes(BaseModel):
    """A page of codes in order, and the events of intake that the broker has not confirmed."""

    requests: list[CodeView]
    unsent: int
    oldest_unsent_seconds: float
    files_unannounced: int
    """Files promised before the end of the period to a reply that has not been published."""


@router.post(
    "/internal/requests/find",
    summary="Find a person's request by its code",
    responses=problems(CallerUnknownError, domain.RequestNotFoundError),
)
async def find(form: FindForm, session: Session, services: ServicesDep) -> FoundRequest:
    """Return a request to tracking, which may be asked for it before it has consumed its event."""
    found = await services.requests.find(session, form.national_id, form.tracking_code)
    contact = ContactView(mobile=found.contact.mobile, landline=found.contact.landline, email=found.contact.email)
    return FoundRequest.model_validate(
        describe_request(found)
        | {
            "state": _STATES.get(found.identity, "registered"),
            **asdict(found.content),
            "attachments": [AttachmentView.of(each) for each in await services.requests.files_of(session, found)],
            "contact": contact,
            "source": found.origin.source,
            "representative": found.origin.representative,
        }
    )


@router.post(
    "/internal/requests/state",
    summary="Find the state of a request",
    responses=problems(CallerUnknownError, domain.RequestNotFoundError),
)
async def state(form: StateForm, session: Session, services: ServicesDep) -> StateView:
    """Return a request's state to tracking, which has received a report about it before its event."""
    identity = await services.requests.identity_of(session, form.tracking_code)
    return StateView(state=_STATES.get(identity, "registered"))


@router.post(
    "/internal/requests/answer-files",
    summary="Find the files of an answer",
    responses=problems(CallerUnknownError, domain.UnknownAttachmentError),
)
async def answer_files(form: AnswerFilesForm, services: ServicesDep) -> list[AttachmentView]:
    """Return the files that an office has uploaded for its answer, before tracking shows them to the applicant."""
    ids = list(dict.fromkeys(map(str, form.files)))
    found = await services.case_files.find_answer_files(form.tracking_code, form.office, ids)
    return [AttachmentView.of(each) for each in found]


@router.post(
    "/internal/requests/codes",
    summary="List the codes of a period, to compare",
    responses=problems(CallerUnknownError),
)
async def codes(form: CodesForm, session: Session, services: ServicesDep) -> Codes:
    """Return codes and states page by page for tracking's reconciliation, and how many events are unsent."""
    found = await services.requests.list_codes(session, form.since, form.until, form.after, form.limit)
    unsent, oldest = await services.requests.backlog(session)
    return Codes(
        requests=[
            CodeView(tracking_code=code, state=_STATES.get(state, "registered"), since=since)
            for code, state, since in found
        ],
        unsent=unsent,
        oldest_unsent_seconds=oldest,
        files_unannounced=await services.reply_attachments.count_promised_before(session, form.until),
    )


@router.post(
    "/internal/erasures",
    summary="Add a code to the list of erased ones",
    status_code=204,
    responses=problems(CallerUnknownError, domain.StorageUnavailableError),
)
async def add_erased(form: ErasedCodeForm, services: ServicesDep) -> None:
    """Record outside the databases that a request is erased, before tracking destroys its key."""
    await services.erased_codes.add(form.tracking_code)


@router.post(
    "/internal/erasures/list",
    summary="List the erased codes",
    responses=problems(CallerUnknownError, domain.StorageUnavailableError),
)
async def list_erased(form: ErasedCodesForm, services: ServicesDep) -> list[str]:
    """Return a page of the erased codes in order, for tracking to compare after a restore."""
    return await services.erased_codes.list_after(form.after, form.limit)


@router.post(
    "/internal/requests/files",
    summary="Promise files to a reply",
    responses=problems(
        CallerUnknownError, domain.RequestNotFoundError, domain.UnknownAttachmentError, domain.StorageUnavailableError
    ),
)
async def promise(form: PromiseForm, services: ServicesDep) -> list[AttachmentView]:
    """Reserve files before tracking accepts the reply; they are kept once the reply is published."""
    ids = list(dict.fromkeys(map(str, form.files)))
    found = await services.reply_attachments.promise(form.tracking_code, form.reply, ids)
    return [AttachmentView.of(each) for each in found]
