"""The page of an account's own sessions."""

from fastapi import APIRouter, Request, Response

from desk.console.routes.dependencies import RequireFormWord, ServicesDep, SignedIn, redirect
from desk.console.routes.pages import render_page

router = APIRouter()


@router.get("/sessions")
async def show_sessions(request: Request, services: ServicesDep, user_session: SignedIn, done: str = "") -> Response:
    """List the sessions of the caller's account."""
    sessions = await services.sessions.list_own(user_session)
    return render_page(request, "sessions.html", user_session, sessions=sessions, done=done)


@router.post("/sessions/others/end", dependencies=[RequireFormWord])
async def end_other_sessions(request: Request, services: ServicesDep, user_session: SignedIn) -> Response:
    """End all other sessions of the caller's account."""
    await services.sessions.end_others(user_session)
    return redirect(request, "/sessions?done=others")


@router.post("/sessions/{session_id}/end", dependencies=[RequireFormWord])
async def end_session(request: Request, services: ServicesDep, user_session: SignedIn, session_id: str) -> Response:
    """End one other session of the caller's account."""
    await services.sessions.end(user_session, session_id)
    return redirect(request, "/sessions?done=one")
