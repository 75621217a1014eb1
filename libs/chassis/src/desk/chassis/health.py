"""Liveness, readiness and metrics, for the orchestrator."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from desk.chassis.problem import ServiceUnavailableError
from desk.chassis.telemetry import Telemetry
from desk.security.logs import is_ours

log = structlog.get_logger(__name__)

READY_TIMEOUT_SECONDS = 2.0

Check = Callable[[], Awaitable[None]]
"""Raises if the service must not receive requests."""


class Readiness:
    """Whether this process may receive requests: not while it stops, and not while its own store is unavailable."""

    def __init__(self, check: Check | None) -> None:
        self._check = check
        self.stopping = False
        self._reason = ""

    async def require_ready(self) -> None:
        """Raise ServiceUnavailableError unless ready."""
        if self.stopping:
            raise ServiceUnavailableError("stopping")
        if self._check is None:
            return
        try:
            async with asyncio.timeout(READY_TIMEOUT_SECONDS):
                await self._check()
        except Exception as error:  # any error of the driver means the same
            self._log_change(error)
            raise ServiceUnavailableError(f"store: {type(error).__name__}") from error
        self._log_change(None)

    async def reason(self) -> str:
        """Return why the process is not ready now; an empty text if it is."""
        try:
            await self.require_ready()
        except ServiceUnavailableError:
            return "stopping" if self.stopping else self._reason
        return ""

    def _log_change(self, error: Exception | None) -> None:
        """Log why the process is not ready, and when it is ready again: once, because it is asked every few seconds."""
        reason = "" if error is None else str(error) if is_ours(error) else type(error).__name__
        if reason == self._reason:
            return
        self._reason = reason
        if reason:
            log.warning("not ready", reason=reason)
        else:
            log.info("ready")


def health_router(readiness: Readiness, telemetry: Telemetry) -> APIRouter:
    """Return the three routes of the port for the orchestrator."""
    router = APIRouter(include_in_schema=False)

    @router.get("/health/live")
    async def live() -> dict[str, str]:
        return {"status": "alive"}

    @router.get("/health/ready")
    async def ready() -> dict[str, str]:
        await readiness.require_ready()
        return {"status": "ready"}

    @router.get("/metrics")
    async def metrics() -> Response:
        return Response(generate_latest(telemetry.registry), media_type=CONTENT_TYPE_LATEST)

    return router
