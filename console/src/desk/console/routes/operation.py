"""Health and metrics, for operators."""

import secrets

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST
from sqlalchemy.exc import SQLAlchemyError

from desk.console.domain.errors import NotFoundError
from desk.console.routes.dependencies import ServicesDep

router = APIRouter()


@router.get("/health/live")
async def live() -> dict[str, str]:
    """Report that the process runs."""
    return {"status": "live"}


@router.get("/health/ready")
async def ready(services: ServicesDep) -> JSONResponse:
    """Report whether the database answers, the reports that wait to be sent, and the number of cases."""
    try:
        backlog = await services.reports.backlog()
        cases = await services.experts.count_cases()
    except (SQLAlchemyError, OSError):
        return JSONResponse({"status": "database unavailable"}, 503)
    reports = sum(each.reports for each in backlog.values())
    return JSONResponse({"status": "ready", "reports_waiting": reports, "cases": cases})


@router.get("/metrics")
async def metrics(request: Request, services: ServicesDep) -> Response:
    """Return the metrics to a caller that sends the token; the page does not exist without one."""
    authorization = request.headers.get("authorization", "")
    token = services.metrics_token
    if token is None or not secrets.compare_digest(authorization.encode(), f"Bearer {token}".encode()):
        raise NotFoundError
    text = services.metrics.render(await services.reports.backlog(), services.clock())
    return Response(text, media_type=CONTENT_TYPE_LATEST)
