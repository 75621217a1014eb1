"""ASGI middleware of every service: request id, access log, metrics and a limit on the body."""

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

log = structlog.get_logger(__name__)

JSON_BODY_BYTES = 64 * 1024
"""The largest JSON body that a route accepts; routes for files have their own limits."""

_TOO_LARGE_STATUS = 413
_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class BodyLimit:
    """Refuses a body that is larger than its route accepts, with or without a Content-Length header."""

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

    def _record(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "unmatched")
        method = scope["method"] if scope["method"] in _METHODS else "other"  # the caller chooses it, and a label stays
        self._telemetry.requests.labels(route, method, str(status)).inc()
        self._telemetry.seconds.labels(route).observe(seconds)
        log.info("answered", method=method, route=route, status=status, ms=round(seconds * 1000, 1))


def _request_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _REQUEST_ID.fullmatch(value.decode("latin-1")):
            return str(value.decode("latin-1"))
    return uuid.uuid4().hex
