"""The route for ``desk-probe``. It is in no OpenAPI document, because no other program can use it."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel

from desk.chassis.app import source_of
from desk.chassis.moments import Moment
from desk.intake.routes.dependencies import ServicesDep

router = APIRouter(include_in_schema=False)
_assertion = HTTPBearer(auto_error=False, scheme_name="probe_assertion", description="an assertion of desk-probe")


class SyntheticRequest(BaseModel):
    """A synthetic request."""

    tracking_code: str
    submitted_at: Moment


@router.post("/api/probe/requests", status_code=201)
async def submit(
    request: Request,
    response: Response,
    services: ServicesDep,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_assertion)],
) -> SyntheticRequest:
    """Submit a synthetic request."""
    response.headers["Cache-Control"] = "no-store"
    assertion = credentials.credentials if credentials is not None else None
    stored = await services.probes.submit(assertion, source_of(request))
    return SyntheticRequest(tracking_code=stored.tracking_code, submitted_at=stored.submitted_at)
