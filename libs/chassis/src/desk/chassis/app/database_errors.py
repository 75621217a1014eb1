"""Renders the errors of a database that is unavailable. Only services that have one import this module."""

from asyncpg import InsufficientResourcesError, OperatorInterventionError, PostgresConnectionError
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from desk.chassis.app.rendering import render_unavailable_store

_SERVER_UNAVAILABLE = (InsufficientResourcesError, OperatorInterventionError, PostgresConnectionError)
"""PostgreSQL raises them while it starts, shuts down or has no connection left."""


def render_database_errors(app: FastAPI) -> None:
    """Register handlers that answer 503 while the database is unavailable; another error of it is a bug."""
    for error in (*_SERVER_UNAVAILABLE, PoolTimeoutError):
        app.add_exception_handler(error, render_unavailable_store)
    app.add_exception_handler(DBAPIError, _render_driver_error)  # type: ignore[arg-type]  # Starlette's type is too wide


async def _render_driver_error(request: Request, error: DBAPIError) -> JSONResponse:
    if not _is_unavailable(error):
        raise error
    return await render_unavailable_store(request, error)


def _is_unavailable(error: DBAPIError) -> bool:
    """Distinguish an unavailable store (retry) from a wrong statement (a bug)."""
    cause = error.orig.__cause__ if error.orig is not None else None
    return (
        error.connection_invalidated
        or isinstance(error, OperationalError | InterfaceError)
        or isinstance(cause, _SERVER_UNAVAILABLE)
    )
