"""ASGI middleware of every service: request id, access log, metrics and a limit on the body."""

import asyncio
import re
import time
import uuid
from collections.abc import Mapping

import structlog
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from desk.chassis.app.rendering import unexpected
from desk.chassis.health import Readiness
from desk.chassis.telemetry import Telemetry
from desk.chassis.tracing import TRACEPARENT

log = structlog.get_logger(__name__)

JSON_BODY_BYTES = 64 * 1024
"""The largest JSON body that a route accepts; routes for files have their own limits."""

BODY_SECONDS, BODY_BYTES_PER_SECOND = 30.0, 16 * 1024
"""How long a body may take: the first, and a second more for so many bytes; 8 MB at that rate take nine minutes."""

_TOO_LARGE_STATUS, _TOO_SLOW_STATUS = 413, 408
_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class BodyLimit:
    """Refuses a body that is larger than its route accepts, with or without a Content-Length header, or too slow."""

    def __init__(self, app: ASGIApp, limits: Mapping[str, int]) -> None:
        """``limits`` maps paths to bytes; other paths accept 64 KiB."""
        self._app = app
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self._limits.get(scope["path"], JSON_BODY_BYTES)
        left = limit if _content_length(scope) <= limit else -1
        deadline: float | None = time.monotonic() + BODY_SECONDS

        async def receive_within_limit() -> Message:
            nonlocal left, deadline
            if left < 0:
                raise HTTPException(_TOO_LARGE_STATUS)
            message = await _receive_until(deadline, receive)
            length = len(message.get("body", b""))
            left -= length
            if deadline is not None:
                deadline = deadline + length / BODY_BYTES_PER_SECOND if message.get("more_body") else None
            if left < 0:
                raise HTTPException(_TOO_LARGE_STATUS)
            return message

        await self._app(scope, receive_within_limit, send)


async def _receive_until(deadline: float | None, receive: Receive) -> Message:
    """Return the next message. Raises HTTPException 408 at the deadline, which is None after the end of the body."""
    if deadline is None:
        return await receive()
    try:
        async with asyncio.timeout(deadline - time.monotonic()):
            return await receive()
    except TimeoutError:
        raise HTTPException(_TOO_SLOW_STATUS, headers={"Connection": "close"}) from None


def _content_length(scope: Scope) -> int:
    try:
        return int(Headers(scope=scope).get("content-length", "0"))
    except ValueError:
        return 0  # the body is counted as it arrives


class RequestContext:
    """Gives each request an id, a log line without personal data, metrics, and a response even after an error."""

    def __init__(self, app: ASGIApp, telemetry: Telemetry, readiness: Readiness) -> None:
        self._app = app
        self._telemetry = telemetry
        self._readiness = readiness

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope)
        tracing = self._telemetry.tracing
        if tracing is None:
            await self._handle(scope, receive, send, request_id)
            return
        method = _method(scope)
        with tracing.request(method, request_id, _header(scope, TRACEPARENT.encode())) as span:
            status = await self._handle(scope, receive, send, request_id)
            tracing.end_request(span, method, _route(scope), status)

    async def _handle(self, scope: Scope, receive: Receive, send: Send, request_id: str) -> int:
        """Handle one request and return the status of its response."""
        started = time.perf_counter()
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", []), (b"x-request-id", request_id.encode())]
                if self._readiness.stopping:
                    message["headers"].append((b"connection", b"close"))
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id, service=self._telemetry.service):
            try:
                await self._app(scope, receive, send_with_id)
            except Exception:  # the top of the request
                log.exception("unexpected error")
                if status:
                    raise
                await unexpected()(scope, receive, send_with_id)
            finally:
                self._record(scope, status or 500, time.perf_counter() - started)
        return status

    def _record(self, scope: Scope, status: int, seconds: float) -> None:
        route, method = _route(scope), _method(scope)
        self._telemetry.requests.labels(route, method, str(status)).inc()
        self._telemetry.seconds.labels(route).observe(seconds)
        log.info("answered", method=method, route=route, status=status, ms=round(seconds * 1000, 1))


def _route(scope: Scope) -> str:
    return getattr(scope.get("route"), "path", "unmatched")


def _method(scope: Scope) -> str:
    return scope["method"] if scope["method"] in _METHODS else "other"  # the caller chooses it, and a label stays


def _request_id(scope: Scope) -> str:
    given = _header(scope, b"x-request-id")
    return given if given is not None and _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex


def _header(scope: Scope, wanted: bytes) -> str | None:
    return next((value.decode("latin-1") for name, value in scope["headers"] if name == wanted), None)
