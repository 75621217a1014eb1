"""The forms of a case that stay in the office: internal notes, and assignments to colleagues."""

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response

from desk.console.domain.errors import ConsoleError
from desk.console.routes.cases import render_case
from desk.console.routes.dependencies import RequireFormWord, ServicesDep, SignedIn, redirect
from desk.console.routes.typed import TypedDep, has_text

router = APIRouter()


@router.post("/cases/{code}/note", dependencies=[RequireFormWord])
async def add_note(
    request: Request, services: ServicesDep, user_session: SignedIn, code: str, typed: TypedDep
) -> Response:
    """Add an internal note to a case; the texts of its other boxes are kept."""
    try:
        await services.colleagues.add_note(user_session.account, code, typed["note"])
    except ConsoleError as error:
        return await render_case(request, services, user_session, code, error=error, typed=typed)
    await services.drafts.keep_rest(user_session.account.id, code, typed | {"note": ""})
    return redirect(request, f"/cases/{code}?done=noted")


@router.post("/cases/{code}/assign", dependencies=[RequireFormWord])
async def assign(
    request: Request,
    services: ServicesDep,
    user_session: SignedIn,
    *,
    code: str,
    typed: TypedDep,
    colleague: Annotated[str, Form()] = "",
) -> Response:
    """Assign a case to a colleague; the texts of its boxes are kept."""
    try:
        await services.colleagues.assign(user_session.account, code, colleague)
    except ConsoleError as error:
        return await render_case(request, services, user_session, code, error=error, typed=typed)
    if has_text(typed):
        await services.drafts.keep_rest(user_session.account.id, code, typed)
    return redirect(request, f"/cases/{code}?done=assigned")
