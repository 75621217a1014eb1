"""The webhooks of the SMS providers."""

import json
import secrets
from typing import Any
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request

from desk.chassis.app import Session, problems
from desk.notifier.domain import NotAReportError, ReportNotWantedError
from desk.notifier.routes.dependencies import Services, ServicesDep
from desk.notifier.store import DeliveryReportStore

PATH = "/api/delivery-reports/{provider}/{secret}"
_RESPONSES: Any = problems(ReportNotWantedError, NotAReportError)
router = APIRouter()


@router.get(PATH, status_code=204, summary="Report what became of an SMS, in the query", responses=_RESPONSES)
async def report_by_query(
    provider: str, secret: str, request: Request, session: Session, services: ServicesDep
) -> None:
    """Take a provider's report; the secret in the path is the provider's."""
    await _record(services, provider, secret, request, session)


@router.post(PATH, status_code=204, summary="Report what became of an SMS", responses=_RESPONSES)
async def report(provider: str, secret: str, request: Request, session: Session, services: ServicesDep) -> None:
    """Take a provider's report as a form or as JSON; the secret in the path is the provider's."""
    await _record(services, provider, secret, request, session)


async def _record(services: Services, provider: str, secret: str, request: Request, session: Session) -> None:
    source = services.report_sources.get(provider)
    if source is None or not secrets.compare_digest(source.secret.encode(), secret.encode()):
        raise ReportNotWantedError
    found = source.provider.read_report(await _fields(request))
    if found is None:
        raise NotAReportError
    if not await DeliveryReportStore(session).record_delivery(provider, *found):
        raise ReportNotWantedError


async def _fields(request: Request) -> dict[str, str]:
    """Return the fields of query and body, with names in lower case, since providers differ in it."""
    fields: list[tuple[str, object]] = list(request.query_params.items())
    body = (await request.body()).decode("utf-8", "replace")  # the app limits its size
    if request.headers.get("content-type", "").startswith("application/json"):
        try:
            parsed = json.loads(body)
        except (ValueError, RecursionError):
            raise NotAReportError from None
        if not isinstance(parsed, dict):
            raise NotAReportError
        fields += parsed.items()
    else:
        fields += parse_qsl(body)
    return {name.lower(): str(value) for name, value in fields if isinstance(value, str | int)}
