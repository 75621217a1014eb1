"""The internal route for codes."""

from fastapi import APIRouter

from desk.chassis.app import problems
from desk.chassis.app.dependencies import Session
from desk.chassis.service_tokens import CallerUnknownError, called_by
from desk.notifier.forms import CodeToSend
from desk.notifier.routes.dependencies import ServicesDep

router = APIRouter(dependencies=[called_by("captcha")])


@router.post("/internal/codes", status_code=202, summary="Send a code by SMS", responses=problems(CallerUnknownError))
async def send_code(code: CodeToSend, session: Session, services: ServicesDep) -> None:
    """Queue a code, which is sent before all other messages and not after it has expired."""
    await services.codes.queue(session, code)
