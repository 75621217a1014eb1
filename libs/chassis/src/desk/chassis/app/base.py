"""The app every service begins with."""

from collections.abc import Mapping

from fastapi import FastAPI, Request

from desk.chassis.app.background import Background, lifespan_of
from desk.chassis.app.middleware import BodyLimit, RequestContext
from desk.chassis.app.rendering import render_problems
from desk.chassis.health import Check, Readiness, health_router
from desk.chassis.telemetry import Telemetry


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
        lifespan=lifespan_of(readiness, background or Background(), telemetry),
    )
    app.state.service = service
    app.state.readiness = readiness
    app.add_middleware(BodyLimit, limits=body_limits or {})
    app.add_middleware(RequestContext, telemetry=telemetry, readiness=readiness)  # added last, so outermost
    app.include_router(health_router(readiness, telemetry))
    render_problems(app)
    return app


def source_of(request: Request) -> str:
    """Return the caller's address, as the server took it from the connection or from a trusted proxy."""
    return request.client.host if request.client else "unknown"
