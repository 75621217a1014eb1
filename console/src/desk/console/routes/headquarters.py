"""The pages of headquarters: late answers of other offices, take-overs and comments, and silent offices."""

from collections.abc import Awaitable
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response

from desk.console.domain.accounts import UserSession
from desk.console.domain.errors import FieldError
from desk.console.routes.dependencies import HeadquartersOnly, RequireFormWord, Services, ServicesDep, redirect
from desk.console.routes.pages import render_page

router = APIRouter()
Text = Annotated[str, Form()]


@router.get("/escalations")
async def show_escalations(
    request: Request, services: ServicesDep, user_session: HeadquartersOnly, *, code: str = "", done: str = ""
) -> Response:
    """List late cases with their trail, with the actions on a case of any office."""
    return await _escalations(request, services, user_session, typed={"code": code}, done=done)


async def _escalations(
    request: Request,
    services: Services,
    user_session: UserSession,
    *,
    typed: dict[str, str],
    error: FieldError | None = None,
    done: str = "",
) -> Response:
    overview = await services.headquarters.overview(user_session.account)
    return render_page(
        request,
        "escalations.html",
        user_session,
        status=error.status if error else 200,
        overview=overview,
        now=services.clock(),
        typed=typed,
        error=error,
        done=done,
    )


@router.post("/escalations/take-over", dependencies=[RequireFormWord])
async def take_over(
    request: Request, services: ServicesDep, user_session: HeadquartersOnly, code: Text = "", reason: Text = ""
) -> Response:
    """Take a case over from its office."""
    acting = services.headquarters.take_over(user_session.account, code, reason)
    typed = {"code": code, "reason": reason}
    return await _act(request, services, user_session, acting, typed=typed, done="taken-over")


@router.post("/escalations/comment", dependencies=[RequireFormWord])
async def comment(
    request: Request, services: ServicesDep, user_session: HeadquartersOnly, code: Text = "", comment: Text = ""
) -> Response:
    """Comment on a case to its office."""
    acting = services.headquarters.comment(user_session.account, code, comment)
    typed = {"code": code, "comment": comment}
    return await _act(request, services, user_session, acting, typed=typed, done="commented")


async def _act(
    request: Request,
    services: Services,
    user_session: UserSession,
    acting: Awaitable[None],
    *,
    typed: dict[str, str],
    done: str,
) -> Response:
    try:
        await acting
    except FieldError as error:
        return await _escalations(request, services, user_session, typed=typed, error=error)
    return redirect(request, f"/escalations?done={done}")


@router.post("/escalations/{code}/close", dependencies=[RequireFormWord])
async def close(request: Request, services: ServicesDep, user_session: HeadquartersOnly, code: str) -> Response:
    """Remove an escalation from the list."""
    await services.headquarters.close(user_session.account, code)
    return redirect(request, "/escalations?done=closed")


@router.post("/silences/{office}/close", dependencies=[RequireFormWord])
async def close_silence(
    request: Request, services: ServicesDep, user_session: HeadquartersOnly, office: str
) -> Response:
    """Remove the notice of a silent office."""
    await services.headquarters.close_silence(user_session.account, office)
    return redirect(request, "/escalations?done=closed")
