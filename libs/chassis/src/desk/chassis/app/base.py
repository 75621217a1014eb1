"""The FastAPI app that every service starts from."""

from collections.abc import Mapping

from fastapi import FastAPI, Request
from fastapi.telemetry import TelemetryConfig

from desk.chassis.app.background import Background, lifespan_of
from desk.chassis.app.middleware import BodyLimit, RequestContext
from desk.chassis.app.rendering import render_problems
from desk.chassis.health import Check, Readiness, health_router
from desk.chassis.service_tokens import Callers
from desk.chassis.support import Described, support_router
from desk.chassis.telemetry import Telemetry

_NO_TELEMETRY: TelemetryConfig = {
    "tracing": False,
    "metrics": False,
    "logs": False,
    "operation_spans": False,
    "auto_configure": False,
}
"""FastAPI's own spans have the URL's path and query in them; ours come from :class:`RequestContext`."""


def base_app(
    service: str,
    title: str,
    telemetry: Telemetry,
    *,
    ready: Check | None = None,
    background: Background | None = None,
    body_limits: Mapping[str, int] | None = None,
    callers: Callers | None = None,
    described: Described | None = None,
) -> FastAPI:
    """Return the app to which a service adds its routes. It serves no docs: the contract is in ``contracts/``.

    ``ready`` raises while the service must not receive requests. ``body_limits`` maps paths to a body limit in bytes;
    other paths accept 64 KiB. ``callers`` are the services that may call internal routes. ``described`` is what
    ``/support`` shows of the service.

    ``app.state.health`` is a second app, with the routes for the orchestrator. It is served on a port of its own.
    """
    readiness = Readiness(ready)
    app = FastAPI(
        title=title,
        version="1.0.0",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan_of(readiness, background or Background(), telemetry),
        telemetry=_NO_TELEMETRY,
    )
    app.state.service = service
    app.state.readiness = readiness
    app.state.callers = callers or Callers(service, {})
    app.state.health = health_app(readiness, telemetry)
    app.state.health.include_router(support_router(readiness, telemetry, described or Described()))
    app.add_middleware(BodyLimit, limits=body_limits or {})
    app.add_middleware(RequestContext, telemetry=telemetry, readiness=readiness)  # added last, so outermost
    render_problems(app)
    return app


def health_app(readiness: Readiness, telemetry: Telemetry) -> FastAPI:
    """Return the app with liveness, readiness and metrics."""
    app = FastAPI(title="Health", openapi_url=None, docs_url=None, redoc_url=None, telemetry=_NO_TELEMETRY)
    app.include_router(health_router(readiness, telemetry))
    render_problems(app)
    return app


def source_of(request: Request) -> str:
    """Return the caller's address, from the connection or from a trusted proxy's header."""
    return request.client.host if request.client else "unknown"
