"""The page on which headquarters searches for a case of any office by its tracking code."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from desk.console.domain.errors import FieldError
from desk.console.routes.dependencies import HeadquartersOnly, ServicesDep
from desk.console.routes.pages import render_page
from desk.expert import CaseRefusedError

router = APIRouter()
UNAVAILABLE = 503


@router.get("/search")
async def search(
    request: Request,
    services: ServicesDep,
    user_session: HeadquartersOnly,
    code: Annotated[str, Query(max_length=40)] = "",
) -> Response:
    """Show the case with a tracking code: its state, its dates, its offices, and what headquarters may do with it."""
    found, error, refused = None, None, None
    try:
        found = await services.case_search.find(user_session.account, code) if code else None
    except FieldError as wrong:
        error = wrong
    except CaseRefusedError as unavailable:
        refused = unavailable
    return render_page(
        request,
        "search.html",
        user_session,
        status=error.status if error else UNAVAILABLE if refused else 200,
        found=found,
        code=code,
        error=error,
        refused=refused,
        now=services.clock(),
    )
