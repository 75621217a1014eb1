"""The wiring of the console: settings in, one app out; the embedded desk gives parts of its own."""

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles

from desk.console.domain.errors import ConsoleError, NotFoundError
from desk.console.line import DeskLine, Line, Lines, Take
from desk.console.metrics import Counted, Metrics
from desk.console.middleware import BodyTooLargeError, Door
from desk.console.pages import HERE, page
from desk.console.routes import cases, entrance, supervising
from desk.console.routes.visiting import GoElsewhereError, go
from desk.console.seal import Seal
from desk.console.service.experts import Experts
from desk.console.service.hearing import Hearing
from desk.console.service.sending import Sender
from desk.console.service.sign_in import SignIn
from desk.console.service.subjects import Subjects
from desk.console.service.supervising import Supervising
from desk.console.settings import Settings
from desk.console.store.cases import CaseStore
from desk.console.store.reports import ReportStore
from desk.database import Database
from desk.expert import Told
from desk.iran.workdays import WorkCalendar

log = logging.getLogger(__name__)

HEARD_KEPT = timedelta(days=60)
PRUNE_SECONDS = 3600.0


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Demonstration:
    """What the embedded desk shows beside the pages: accounts to try, and where else to look."""

    accounts: tuple[tuple[str, str], ...]
    """User names with what they are."""
    password: str
    links: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Parts:
    """What the console stands on."""

    database: Database
    seal: Seal
    lines: Lines
    demonstration: Demonstration | None = None
    clock: Callable[[], datetime] = _now


def real_parts(settings: Settings) -> Parts:
    """Build the parts that the settings name."""
    database = Database(settings.database_url.get_secret_value())
    seal = Seal.from_text(settings.keys.get_secret_value())
    lines: Mapping[str, Line] = {
        key: DeskLine(
            key,
            broker_url=each.broker_url.get_secret_value(),
            desk_url=settings.desk_url,
            private_key=each.private_key.get_secret_value(),
            database=database,
            seal=seal,
        )
        for key, each in settings.provinces.items()
    }
    return Parts(database, seal, lines)


def create_app(settings: Settings | None = None, *, parts: Parts | None = None) -> FastAPI:
    """Build the console."""
    settings = settings or Settings()
    parts = parts or real_parts(settings)
    calendar = settings.calendar()
    database, seal, lines, clock = parts.database, parts.seal, parts.lines, parts.clock
    sender = Sender(database, seal, calendar, lines, clock)
    database.after_commit.append(sender.wake)

    metrics = Metrics(lines)

    app = FastAPI(
        title="Service Desk: console",
        openapi_url=None,
        lifespan=_lifespan(parts, Hearing(database, seal, calendar, clock), sender, metrics),
    )
    app.state.settings = settings
    app.state.db = database
    app.state.clock = clock
    app.state.demonstration = parts.demonstration
    app.state.sign_in = SignIn(database, seal, clock, settings.second_factor)
    app.state.experts = Experts(database, seal, calendar, lines, clock)
    app.state.supervising = Supervising(database, seal, clock)
    app.state.subjects = Subjects(lines)
    app.add_middleware(Counted, metrics=metrics)
    app.add_middleware(Door)
    app.mount("/assets", StaticFiles(directory=HERE / "assets"))
    for router in (entrance.router, cases.router, supervising.router):
        app.include_router(router)
    _add_health(app, seal, calendar)
    if settings.metrics_token is not None:
        _add_metrics(app, parts, metrics, settings.metrics_token.get_secret_value())
    _add_errors(app)
    return app


def _lifespan(
    parts: Parts, hearing: Hearing, sender: Sender, metrics: Metrics
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(sender.run(), name="sender")]
        tasks += [
            asyncio.create_task(line.listen(_taker(hearing, key, metrics)), name=f"line of {key}")
            for key, line in parts.lines.items()
        ]
        tasks.append(asyncio.create_task(_prune(parts), name="pruning"))
        yield
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for line in parts.lines.values():
            await line.close()
        await parts.database.close()

    return lifespan


def _taker(hearing: Hearing, province: str, metrics: Metrics) -> Take:
    async def take(told: Told) -> None:
        handled = False
        try:
            await hearing.take(province, told)
            handled = True
        finally:
            metrics.heard(province, handled=handled)

    return take


async def _prune(parts: Parts) -> None:
    while True:
        with suppress(SQLAlchemyError):
            async with parts.database.transaction() as session:
                await CaseStore(session, parts.seal, WorkCalendar()).prune(parts.clock() - HEARD_KEPT)
        await asyncio.sleep(PRUNE_SECONDS)


def _add_health(app: FastAPI, seal: Seal, calendar: WorkCalendar) -> None:
    @app.get("/health/live")
    async def live() -> dict[str, str]:
        return {"status": "live"}

    @app.get("/health/ready")
    async def ready() -> JSONResponse:
        try:
            async with app.state.db.read() as session:
                waiting = await ReportStore(session, seal).backlog()
                cases_known = await CaseStore(session, seal, calendar).count()
        except (SQLAlchemyError, OSError):
            return JSONResponse({"status": "database away"}, 503)
        reports = sum(each.reports for each in waiting.values())
        return JSONResponse({"status": "ready", "reports_waiting": reports, "cases": cases_known})


def _add_metrics(app: FastAPI, parts: Parts, metrics: Metrics, token: str) -> None:
    @app.get("/metrics")
    async def show(request: Request) -> Response:
        given = request.headers.get("authorization", "")
        if not secrets.compare_digest(given.encode(), f"Bearer {token}".encode()):
            raise NotFoundError
        async with parts.database.read() as session:
            waiting = await ReportStore(session, parts.seal).backlog()
        return Response(metrics.text(waiting, parts.clock()), media_type=CONTENT_TYPE_LATEST)


def _add_errors(app: FastAPI) -> None:
    @app.exception_handler(GoElsewhereError)
    async def go_elsewhere(request: Request, error: GoElsewhereError) -> Response:
        return go(request, error.path)

    @app.exception_handler(ConsoleError)
    async def show(request: Request, error: ConsoleError) -> Response:
        return page(request, "error.html", getattr(request.state, "visit", None), status=error.status, error=error)

    @app.exception_handler(HTTPException)
    @app.exception_handler(RequestValidationError)
    async def show_unknown(request: Request, error: Exception) -> Response:
        if isinstance(error, BodyTooLargeError):
            return page(request, "error.html", status=error.status_code, error=ConsoleError(error.detail))
        status = error.status_code if isinstance(error, HTTPException) else NotFoundError.status
        return page(request, "error.html", status=status, error=NotFoundError())

    @app.exception_handler(SQLAlchemyError)
    async def show_away(request: Request, error: SQLAlchemyError) -> Response:
        log.error("the database fails: %s", type(error).__name__)
        away = ConsoleError("پایگاه داده اکنون پاسخ نمی‌دهد. چند لحظهٔ دیگر دوباره تلاش کنید.")
        return page(request, "error.html", status=503, error=away)
