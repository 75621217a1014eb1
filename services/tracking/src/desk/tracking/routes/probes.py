"""The route for ``desk-probe``. It is in no OpenAPI document, because no other program can use it."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, ConfigDict, StringConstraints

from desk.chassis.app import source_of
from desk.chassis.moments import Moment
from desk.tracking.routes.dependencies import ServicesDep

router = APIRouter(include_in_schema=False)
_assertion = HTTPBearer(auto_error=False, scheme_name="probe_assertion", description="an assertion of desk-probe")


class ProbeQuery(BaseModel):
    """The code of a synthetic request."""

    tracking_code: Annotated[str, StringConstraints(pattern="^[0-9]{12}$")]


class SyntheticRequest(BaseModel):
    """A synthetic request: when it was submitted, when its event arrived, and when it was first found."""

    model_config = ConfigDict(from_attributes=True)

    tracking_code: str
    submitted_at: Moment
    opened_at: Moment
    found_at: Moment | None


async def _admit(
    request: Request,
    services: ServicesDep,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_assertion)],
) -> None:
    await services.probes.admit(credentials.credentials if credentials is not None else None, source_of(request))


@router.post("/api/probe/tracking", dependencies=[Depends(_admit)])
async def track(query: ProbeQuery, response: Response, services: ServicesDep) -> SyntheticRequest:
    """Look a synthetic request up."""
    response.headers["Cache-Control"] = "no-store"
    return SyntheticRequest.model_validate(await services.probes.find(query.tracking_code))
