"""The desk's figures: a page with charts and tables, and files for spreadsheets."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from desk.console.domain.accounts import Account, UserSession
from desk.console.routes.dependencies import Services, ServicesDep, SignedIn
from desk.console.routes.pages import render_page
from desk.console.service.figures import month_name
from desk.expert import FiguresRefusedError

router = APIRouter()
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
Month = Annotated[str, Query(max_length=7)]


@router.get("/figures")
async def show_figures(
    request: Request,
    services: ServicesDep,
    user_session: SignedIn,
    first: Annotated[str, Query(alias="from", max_length=7)] = "",
    until: Month = "",
) -> Response:
    """Show the figures of the office, or of all offices to headquarters."""
    await services.readings.record_figures(user_session.account)
    try:
        page, refused = await services.figures.page(user_session.account, first, until), None
    except FiguresRefusedError as error:
        page, refused = None, error
    return render_page(
        request,
        "figures.html",
        user_session,
        status=200 if page else 503,
        page=page,
        refused=refused,
        month_name=month_name,
        first=first,
        until=until,
    )


@router.get("/figures.csv")
async def download_csv(
    services: ServicesDep,
    user_session: SignedIn,
    first: Annotated[str, Query(alias="from", max_length=7)] = "",
    until: Month = "",
) -> Response:
    """Return the figures of each office and month as a CSV file."""
    return await _download(
        services, user_session, lambda it: services.figures.csv(it, first, until), "csv", "text/csv; charset=utf-8"
    )


@router.get("/figures.xlsx")
async def download_xlsx(
    services: ServicesDep,
    user_session: SignedIn,
    first: Annotated[str, Query(alias="from", max_length=7)] = "",
    until: Month = "",
) -> Response:
    """Return the figures as a workbook with three sheets."""
    return await _download(services, user_session, lambda it: services.figures.xlsx(it, first, until), "xlsx", XLSX)


async def _download(
    services: Services,
    user_session: UserSession,
    read: Callable[[Account], Awaitable[bytes]],
    kind: str,
    media_type: str,
) -> Response:
    await services.readings.record_figures(user_session.account)
    try:
        content = await read(user_session.account)
    except FiguresRefusedError as error:
        return Response(error.title or error.code, 503, media_type="text/plain; charset=utf-8")
    headers = {"Content-Disposition": f'attachment; filename="figures.{kind}"', "Cache-Control": "no-store"}
    return Response(content, media_type=media_type, headers=headers)
