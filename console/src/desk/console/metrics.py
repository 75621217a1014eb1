"""The console's metrics; they contain no name, code or text."""

import time
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from desk.console.clients import DeskClients
from desk.console.store.reports import Backlog

_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_METHODS = frozenset({"GET", "HEAD", "POST"})


class Metrics:
    """The console's metrics; the gauges are set when they are rendered."""

    def __init__(self, clients: DeskClients) -> None:
        self._clients = clients
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "desk_console_requests", "Answered requests", ["route", "method", "status"], registry=self._registry
        )
        self._seconds = Histogram(
            "desk_console_seconds", "Time to answer", ["route"], registry=self._registry, buckets=_BUCKETS
        )
        self._events = Counter(
            "desk_console_events", "Events of the desk", ["province", "outcome"], registry=self._registry
        )
        self._consuming = Gauge(
            "desk_console_line_alive",
            "1 while events of the province's queue are consumed",
            ["province"],
            registry=self._registry,
        )
        self._rejected = Gauge(
            "desk_console_events_rejected",
            "Events that could not be read since the start: for another key, or invalid",
            ["province"],
            registry=self._registry,
        )
        self._waiting = Gauge(
            "desk_console_reports_waiting", "Reports that wait to be sent", ["province"], registry=self._registry
        )
        self._oldest = Gauge(
            "desk_console_oldest_waiting_seconds",
            "Age of the oldest report that waits to be sent",
            ["province"],
            registry=self._registry,
        )

    def count_request(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count a response."""
        self._requests.labels(route, method if method in _METHODS else "other", str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def count_event(self, province: str, *, handled: bool) -> None:
        """Count an event of the desk."""
        self._events.labels(province, "handled" if handled else "failed").inc()

    def render(self, waiting: dict[str, Backlog], now: datetime) -> bytes:
        """Return all metrics in Prometheus' text format."""
        for province, client in self._clients.items():
            self._consuming.labels(province).set(client.consuming)
            self._rejected.labels(province).set(client.rejected)
        for province in {*self._clients, *waiting}:
            backlog = waiting.get(province)
            self._waiting.labels(province).set(backlog.reports if backlog else 0)
            self._oldest.labels(province).set((now - backlog.since).total_seconds() if backlog else 0)
        return generate_latest(self._registry)


class RequestMetrics:
    """ASGI middleware that counts responses by route."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
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
            self._metrics.count_request(route, scope["method"], status, time.perf_counter() - begun)
