"""HTTP in: delivery reports of the providers of SMS."""

import json
import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request

from desk.chassis.app import Session, problems
from desk.notifier.domain import NotAReportError, ReportNotWantedError
from desk.notifier.providers import Provider
from desk.notifier.store import ReportStore

PATH = "/api/delivery-reports/{provider}/{secret}"
_RESPONSES: Any = problems(ReportNotWantedError, NotAReportError)
router = APIRouter()


@router.get(PATH, status_code=204, summary="Report what became of an SMS, in the query", responses=_RESPONSES)
async def report_by_query(provider: str, secret: str, request: Request, session: Session) -> None:
    """Take a provider's report; the secret in the path is the provider's."""
    await _take(provider, secret, request, session)


@router.post(PATH, status_code=204, summary="Report what became of an SMS", responses=_RESPONSES)
async def report(provider: str, secret: str, request: Request, session: Session) -> None:
    """Take a provider's report as a form or as JSON; the secret in the path is the provider's."""
    await _take(provider, secret, request, session)


async def _take(provider: str, secret: str, request: Request, session: Session) -> None:
    known: Mapping[str, tuple[Provider, str]] = request.app.state.reporters
    if provider not in known or not secrets.compare_digest(known[provider][1].encode(), secret.encode()):
        raise ReportNotWantedError
    found = known[provider][0].read_report(await _fields(request))
    if found is None:
        raise NotAReportError
    if not await ReportStore(session).record_delivery(provider, *found):
        raise ReportNotWantedError


async def _fields(request: Request) -> dict[str, str]:
    """Read query and body as names and values; names in small letters, since providers do not agree about them."""
    fields: list[tuple[str, object]] = list(request.query_params.items())
    body = (await request.body()).decode("utf-8", "replace")  # the app bounds it
    if request.headers.get("content-type", "").startswith("application/json"):
        try:
            said = json.loads(body)
        except (ValueError, RecursionError):
            raise NotAReportError from None
        if not isinstance(said, dict):
            raise NotAReportError
        fields += said.items()
    else:
        fields += parse_qsl(body)
    return {name.lower(): str(value) for name, value in fields if isinstance(value, str | int)}
