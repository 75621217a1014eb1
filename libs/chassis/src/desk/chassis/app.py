"""What every service's app has: problem details, request ids, access log, metrics, health, supervised workers."""

import asyncio
import re
import socket
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog
from asyncpg import InsufficientResourcesError, OperatorInterventionError, PostgresConnectionError
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from desk.chassis.health import Check, Readiness, health_router
from desk.chassis.problem import DomainError, FieldError, ServiceUnavailableError
from desk.chassis.telemetry import Telemetry

log = structlog.get_logger(__name__)

JSON_BODY_BYTES = 64 * 1024
"""The largest JSON body any route takes; routes for files say their own limit."""

FINISH_SECONDS = 10.0
"""How long background work may take to come to its end when the app stops."""

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 10.0
"""How long background work that failed waits before it begins again; twice as long each time."""

_INVALID_STATUS = 422
_TOO_LARGE_STATUS = 413
_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")
_TYPE_BASE = "/problems/"
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_RECOVERED_SECONDS = 30

# A driver raises the last two as they are when it cannot connect in time, or cannot resolve its server's name; and
# PostgreSQL's own words, when it does not let anybody in, as it is ending, starting or full.
_SERVER_AWAY = (InsufficientResourcesError, OperatorInterventionError, PostgresConnectionError)
_AWAY = (
    *_SERVER_AWAY,
    DBAPIError,
    PoolTimeoutError,
    ConnectionError,
    RedisConnectionError,
    RedisTimeoutError,
    TimeoutError,
    socket.gaierror,
)


class FieldProblem(BaseModel):
    """What is wrong with one field."""

    field: str
    code: str
    message: str


class Problem(BaseModel):
    """An RFC 9457 problem: ``title`` is for people (Persian), ``code`` for programs (stable, English)."""

    model_config = ConfigDict(json_schema_extra={"description": "RFC 9457 problem details"})

    type: str
    title: str
    status: int
    code: str
    errors: list[FieldProblem] = []


def problems(*errors: type[DomainError]) -> dict[int | str, dict[str, object]]:
    """Describe a route's errors for OpenAPI, one answer per status with the codes it may carry."""
    codes: dict[int | str, list[str]] = {_INVALID_STATUS: ["validation_failed"]}
    for error in errors:
        codes.setdefault(error.status, []).append(error.code)
    return {
        status: {"model": Problem, "description": ", ".join(f"`{code}`" for code in codes[status])}
        for status in sorted(codes, key=str)
    }


@dataclass(frozen=True, slots=True)
class Worker:
    """Background work that runs as long as the app, begun again after a pause if it ends with an error."""

    name: str
    run: Callable[[], Awaitable[None]]
    finish: Callable[[], None] | None = None
    """Asks the work to end at its next good point; work without it is cancelled where it stands."""


Closers = Sequence[Callable[[], Awaitable[None]]]
"""What a service closes, in order."""


@dataclass(slots=True)
class Background:
    """What an app starts after itself and stops before itself."""

    start: Callable[[], Awaitable[None]] | None = None
    drain: Callable[[], Awaitable[None]] | None = None
    """Called first when the app stops: take no more messages, let handlers finish."""
    workers: Sequence[Worker] = ()
    stop: Closers = ()
    """Called in order once the workers have ended."""


def base_app(
    service: str,
    title: str,
    telemetry: Telemetry,
    *,
    ready: Check | None = None,
    background: Background | None = None,
    body_limits: Mapping[str, int] | None = None,
) -> FastAPI:
    """Build the app a service adds its routes to; docs are not served, the contract is in ``contracts/``.

    ``body_limits`` gives paths that take more than the usual 64 KiB their own limit in bytes.
    """
    readiness = Readiness(ready)
    app = FastAPI(
        title=title,
        version="1.0.0",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        lifespan=_lifespan(readiness, background or Background(), telemetry),
    )
    app.state.service = service
    app.add_middleware(BodyLimit, limits=body_limits or {})
    app.add_middleware(RequestContext, telemetry=telemetry)  # added last, so outermost
    app.include_router(health_router(readiness, telemetry))
    app.add_exception_handler(DomainError, _render_domain_error)  # type: ignore[arg-type]  # Starlette's handler type is too wide
    app.add_exception_handler(RequestValidationError, _render_invalid)  # type: ignore[arg-type]
    app.add_exception_handler(HTTPException, _render_http_error)  # type: ignore[arg-type]
    for error in _AWAY:
        app.add_exception_handler(error, _render_store_error)
    app.openapi = partial(_openapi, app, app.openapi)  # type: ignore[method-assign]  # FastAPI's documented way
    return app


def _openapi(app: FastAPI, generate: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Generate the contract; errors are problem details, which FastAPI would call plain JSON."""
    if app.openapi_schema is None:
        for operation in _operations(generate()):
            for status, response in operation["responses"].items():
                if status >= "4" and "application/json" in response.get("content", {}):
                    response["content"] = {"application/problem+json": response["content"]["application/json"]}
    return generate()


def _operations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for path in document.get("paths", {}).values():
        yield from path.values()


def _lifespan(
    readiness: Readiness, background: Background, telemetry: Telemetry
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        if background.start is not None:
            await background.start()
        stopping = asyncio.Event()
        tasks = [
            asyncio.create_task(_supervise(worker, stopping, telemetry), name=worker.name)
            for worker in background.workers
        ]
        async with AsyncExitStack() as stack:  # unwound from the last to the first, whatever one of them raises
            for stop in reversed(background.stop):
                stack.push_async_callback(stop)
            stack.push_async_callback(_end, background.workers, tasks)
            if background.drain is not None:
                stack.push_async_callback(background.drain)
            try:
                yield
            finally:
                readiness.stopping = True
                stopping.set()

    return lifespan


async def _supervise(worker: Worker, stopping: asyncio.Event, telemetry: Telemetry) -> None:
    pause = FIRST_PAUSE_SECONDS
    while not stopping.is_set():
        begun = time.monotonic()
        try:
            await worker.run()
        except Exception:  # the loop's top: the work must go on
            telemetry.crashes.labels(worker.name).inc()
            log.exception("worker failed and begins again", worker=worker.name)
        if time.monotonic() - begun > _RECOVERED_SECONDS:
            pause = FIRST_PAUSE_SECONDS
        with suppress(TimeoutError):
            async with asyncio.timeout(pause):
                await stopping.wait()
        pause = min(pause * 2, LONGEST_PAUSE_SECONDS)


async def _end(workers: Sequence[Worker], tasks: Sequence[asyncio.Task[None]]) -> None:
    for worker, task in zip(workers, tasks, strict=True):
        if worker.finish is None:
            task.cancel()
        else:
            worker.finish()
    if tasks:
        _, unfinished = await asyncio.wait(tasks, timeout=FINISH_SECONDS)
        for task in unfinished:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class BodyLimit:
    """Ends the reading of a body that is larger than its route takes, whether its length was announced or not."""

    def __init__(self, app: ASGIApp, limits: Mapping[str, int]) -> None:
        """``limits`` maps paths to bytes; everything else may have 64 KiB."""
        self._app = app
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self._limits.get(scope["path"], JSON_BODY_BYTES)
        left = limit if _announced_bytes(scope) <= limit else -1

        async def receive_within_limit() -> Message:
            nonlocal left
            if left < 0:
                raise HTTPException(_TOO_LARGE_STATUS)
            message = await receive()
            left -= len(message.get("body", b""))
            if left < 0:
                raise HTTPException(_TOO_LARGE_STATUS)
            return message

        await self._app(scope, receive_within_limit, send)


def _announced_bytes(scope: Scope) -> int:
    try:
        return int(Headers(scope=scope).get("content-length", "0"))
    except ValueError:
        return 0  # whatever it says, the body is counted as it comes


class RequestContext:
    """Gives each request an id, a log line without personal data, its place in the metrics, and always an answer."""

    def __init__(self, app: ASGIApp, telemetry: Telemetry) -> None:
        self._app = app
        self._telemetry = telemetry

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope)
        begun = time.perf_counter()
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", []), (b"x-request-id", request_id.encode())]
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id, service=self._telemetry.service):
            try:
                await self._app(scope, receive, send_with_id)
            except Exception:  # the top of the request
                log.exception("unexpected error")
                if status:
                    raise
                await _unexpected()(scope, receive, send_with_id)
            finally:
                self._record(scope, status or 500, time.perf_counter() - begun)

    def _record(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "unmatched")
        method = scope["method"] if scope["method"] in _METHODS else "other"  # the caller's word, and a label for ever
        self._telemetry.requests.labels(route, method, str(status)).inc()
        self._telemetry.seconds.labels(route).observe(seconds)
        if not route.startswith(("/health", "/metrics")):
            log.info("answered", method=method, route=route, status=status, ms=round(seconds * 1000, 1))


def _request_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _REQUEST_ID.fullmatch(value.decode("latin-1")):
            return str(value.decode("latin-1"))
    return uuid.uuid4().hex


def source_of(request: Request) -> str:
    """Return the caller's address, as the server took it from the connection or from a trusted proxy."""
    return request.client.host if request.client else "unknown"


def _problem(
    status: int,
    code: str,
    title: str,
    errors: Sequence[FieldError] = (),
    *,
    retry_after: int | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    body = Problem(
        type=f"{_TYPE_BASE}{code}",
        title=title,
        status=status,
        code=code,
        errors=[FieldProblem(field=error.field, code=error.code, message=error.message) for error in errors],
    )
    sent = {**(headers or {}), "Cache-Control": "no-store"}
    if retry_after is not None:
        sent["Retry-After"] = str(retry_after)
    return JSONResponse(body.model_dump(), status, sent, media_type="application/problem+json")


async def _render_domain_error(_request: Request, error: DomainError) -> JSONResponse:
    log.info("refused", code=error.code, reason=str(error))
    return _problem(error.status, error.code, error.title, error.errors, retry_after=error.retry_after)


_INVALID_TITLE = "برخی از خانه‌ها درست پر نشده‌اند. لطفاً موارد زیر را اصلاح کنید."
_INVALID_MESSAGES = {
    "missing": "این مورد لازم است.",
    "string_too_short": "این متن کوتاه‌تر از اندازهٔ لازم است.",
    "string_too_long": "این متن بلندتر از اندازهٔ مجاز است.",
    "json_invalid": "قالب داده‌های فرستاده‌شده درست نیست.",
}


async def _render_invalid(_request: Request, invalid: RequestValidationError) -> JSONResponse:
    errors = [_field_error(part) for part in invalid.errors()]
    log.info("refused", code="validation_failed", fields=[f"{error.field}:{error.code}" for error in errors])
    return _problem(_INVALID_STATUS, "validation_failed", _INVALID_TITLE, errors)


def _field_error(part: dict[str, object]) -> FieldError:
    location = part["loc"]
    path = [str(step) for step in location[1:]] if isinstance(location, tuple) else []
    cause = _cause(part)
    if isinstance(cause, FieldRuleError):
        return FieldError(".".join(path), cause.code, cause.message)
    kind = str(part["type"])
    if kind == "json_invalid":  # the path is an offset in the body, and nobody's field
        path = []
    return FieldError(".".join(path), kind, _INVALID_MESSAGES.get(kind, "این مقدار پذیرفتنی نیست."))


def _cause(part: dict[str, object]) -> object:
    context = part.get("ctx")
    return context.get("error") if isinstance(context, dict) else None


class FieldRuleError(ValueError):
    """Raised by a field's validator: a stable code and the Persian sentence for the person who typed."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code)
        self.code = code
        self.message = message


_HTTP_TITLES = {
    404: "چنین نشانی‌ای وجود ندارد.",
    405: "این روش برای این نشانی پذیرفته نیست.",
    413: "اندازهٔ دادهٔ فرستاده‌شده بیش از حد مجاز است.",
    400: "درخواست فرستاده‌شده خوانا نیست.",
}


async def _render_http_error(_request: Request, error: HTTPException) -> JSONResponse:
    codes = {400: "bad_request", 404: "not_found", 405: "method_not_allowed", 413: "body_too_large"}
    return _problem(
        error.status_code,
        codes.get(error.status_code, "http_error"),
        _HTTP_TITLES.get(error.status_code, "درخواست پذیرفته نشد."),
        headers=error.headers,
    )


async def _render_store_error(_request: Request, error: Exception) -> JSONResponse:
    if isinstance(error, DBAPIError) and not _is_away(error):
        raise error
    log.error("store unavailable", error=type(error).__name__)
    away = ServiceUnavailableError()
    return _problem(away.status, away.code, away.title, retry_after=away.retry_after)


def _is_away(error: DBAPIError) -> bool:
    """Tell a store that is away (try again) from a statement that is wrong (a bug)."""
    cause = error.orig.__cause__ if error.orig is not None else None
    return (
        error.connection_invalidated
        or isinstance(error, OperationalError | InterfaceError)
        or isinstance(cause, _SERVER_AWAY)
    )


def _unexpected() -> JSONResponse:
    return _problem(500, "internal_error", "خطایی در سامانه رخ داد. لطفاً کمی بعد دوباره تلاش کنید.")
