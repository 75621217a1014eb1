"""What operators see of the console in numbers: never a name, a code or a text."""

import time
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from desk.console.line import Lines
from desk.console.store.reports import Backlog

_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_METHODS = frozenset({"GET", "HEAD", "POST"})


class Metrics:
    """The console's metrics; those of the database are read when they are asked for."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "desk_console_requests", "Answered requests", ["route", "method", "status"], registry=self._registry
        )
        self._seconds = Histogram(
            "desk_console_seconds", "Time to answer", ["route"], registry=self._registry, buckets=_BUCKETS
        )
        self._events = Counter(
            "desk_console_events", "What the desk told", ["province", "outcome"], registry=self._registry
        )
        self._alive = Gauge(
            "desk_console_line_alive",
            "1 while the province's queue is really being served",
            ["province"],
            registry=self._registry,
        )
        self._waiting = Gauge(
            "desk_console_reports_waiting", "Reports on their way to the desk", ["province"], registry=self._registry
        )
        self._oldest = Gauge(
            "desk_console_oldest_waiting_seconds",
            "Age of the oldest report on its way",
            ["province"],
            registry=self._registry,
        )

    def answered(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count an answer."""
        self._requests.labels(route, method if method in _METHODS else "other", str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def heard(self, province: str, *, handled: bool) -> None:
        """Count an event that the desk told."""
        self._events.labels(province, "handled" if handled else "failed").inc()

    def text(self, waiting: dict[str, Backlog], now: datetime) -> bytes:
        """Write all of it as Prometheus reads it."""
        for province, line in self._lines.items():
            self._alive.labels(province).set(line.alive)
        for province in {*self._lines, *waiting}:
            backlog = waiting.get(province)
            self._waiting.labels(province).set(backlog.reports if backlog else 0)
            self._oldest.labels(province).set((now - backlog.since).total_seconds() if backlog else 0)
        return generate_latest(self._registry)


class Counted:
    """Counts answers by route. Pure ASGI."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun, status = time.perf_counter(), 500

        async def send_counted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_counted)
        finally:
            route = getattr(scope.get("route"), "path", "unmatched")
            self._metrics.answered(route, scope["method"], status, time.perf_counter() - begun)
