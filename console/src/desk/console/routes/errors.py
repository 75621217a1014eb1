"""Renders errors as pages."""

import logging

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException

from desk.console.domain.accounts import Step, UserSession
from desk.console.domain.errors import ConsoleError, FormExpiredError, NotFoundError
from desk.console.middleware import BodyTooLargeError
from desk.console.routes.cases import render_case
from desk.console.routes.counter import render_unsent
from desk.console.routes.dependencies import RedirectRequiredError, get_services, redirect
from desk.console.routes.group_answers import render_group
from desk.console.routes.pages import render_page
from desk.console.routes.typed import (
    COUNTER,
    GROUP_ANSWER,
    Typed,
    form_subject,
    has_text,
    keep_after_expiry,
    read_typed,
)

log = logging.getLogger(__name__)

DATABASE_UNAVAILABLE = "پایگاه داده اکنون پاسخ نمی‌دهد. چند لحظهٔ دیگر دوباره تلاش کنید."


def add_error_pages(app: FastAPI) -> None:
    """Handle every expected exception of the routes."""

    @app.exception_handler(RedirectRequiredError)
    async def redirect_first(request: Request, error: RedirectRequiredError) -> Response:
        kept = await keep_after_expiry(request)
        return redirect(request, f"{error.path}?kept=yes" if kept else error.path)

    @app.exception_handler(ConsoleError)
    async def show(request: Request, error: ConsoleError) -> Response:
        user_session: UserSession | None = getattr(request.state, "user_session", None)
        if isinstance(error, FormExpiredError) and user_session is not None and user_session.step is Step.IN:
            typed, subject = await read_typed(request), form_subject(request)
            if subject == COUNTER:
                return await render_unsent(request, user_session, error)
            if subject is not None and has_text(typed):
                return await _form_again(request, user_session, subject, typed, error)
        return render_page(request, "error.html", user_session, status=error.status, error=error)

    @app.exception_handler(HTTPException)
    @app.exception_handler(RequestValidationError)
    async def show_not_found(request: Request, error: Exception) -> Response:
        if isinstance(error, BodyTooLargeError):
            return render_page(request, "error.html", status=error.status_code, error=ConsoleError(error.detail))
        status = error.status_code if isinstance(error, HTTPException) else NotFoundError.status
        return render_page(request, "error.html", status=status, error=NotFoundError())

    @app.exception_handler(SQLAlchemyError)
    async def show_database_unavailable(request: Request, error: SQLAlchemyError) -> Response:
        log.error("the database fails: %s", type(error).__name__)
        return render_page(request, "error.html", status=503, error=ConsoleError(DATABASE_UNAVAILABLE))


async def _form_again(
    request: Request, user_session: UserSession, subject: str, typed: Typed, error: ConsoleError
) -> Response:
    """Show a form of an earlier session again with its texts, so that it can be sent in the present one."""
    services = get_services(request)
    if subject != GROUP_ANSWER:
        return await render_case(request, services, user_session, subject, typed=typed, error=error)
    codes = [code for code in (await request.form()).getlist("code") if isinstance(code, str)]
    return await render_group(request, services, user_session, codes, typed=typed, error=error)
