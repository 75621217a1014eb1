"""Renders errors as pages."""

import logging

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException

from desk.console.domain.errors import ConsoleError, NotFoundError
from desk.console.middleware import BodyTooLargeError
from desk.console.routes.dependencies import RedirectRequiredError, redirect
from desk.console.routes.pages import render_page

log = logging.getLogger(__name__)

DATABASE_UNAVAILABLE = "پایگاه داده اکنون پاسخ نمی‌دهد. چند لحظهٔ دیگر دوباره تلاش کنید."


def add_error_pages(app: FastAPI) -> None:
    """Handle every expected exception of the routes."""

    @app.exception_handler(RedirectRequiredError)
    async def redirect_first(request: Request, error: RedirectRequiredError) -> Response:
        return redirect(request, error.path)

    @app.exception_handler(ConsoleError)
    async def show(request: Request, error: ConsoleError) -> Response:
        user_session = getattr(request.state, "user_session", None)
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
