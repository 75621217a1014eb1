"""Metrics and traces of a service. They never contain a name, a number, a text or a URL's query."""

from importlib.metadata import PackageNotFoundError, version

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from desk.chassis.settings import TraceSettings
from desk.chassis.tracing import Tracing

_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Telemetry:
    """The metrics that every service has. A service adds its own to ``registry``."""

    def __init__(self, service: str, tracing: Tracing | None = None) -> None:
        self.service = service
        self.tracing = tracing
        """None if the service is not traced."""
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "desk_http_requests", "Answered HTTP requests", ["route", "method", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "desk_http_seconds", "Time to answer", ["route"], registry=self.registry, buckets=_BUCKETS
        )
        self.events = Counter("desk_events", "Events by outcome", ["type", "outcome"], registry=self.registry)
        self.outbox_unsent = Gauge("desk_outbox_unsent", "Events not yet confirmed", registry=self.registry)
        self.outbox_oldest = Gauge(
            "desk_outbox_oldest_unsent_seconds", "Age of the oldest unconfirmed event", registry=self.registry
        )
        self.broker_alive = Gauge(
            "desk_broker_alive", "1 while the service's queue is consumed", registry=self.registry
        )
        self.refusals = Counter(
            "desk_rate_limit_refusals",
            "Attempts refused because a limit is used up",
            ["limit"],
            registry=self.registry,
        )
        self.proofs = Counter(
            "desk_rate_limit_proofs",
            "Attempts for which a proof of work of a higher level was required",
            ["limit", "level"],
            registry=self.registry,
        )
        build = Gauge(
            "desk_build_info", "1, with the version of the service", ["service", "version"], registry=self.registry
        )
        build.labels(service, version_of(service)).set(1)
        self.crashes = Counter(
            "desk_worker_crashes", "Restarts of failed background work", ["worker"], registry=self.registry
        )

    def begin_errors_at_zero(self, method: str, route: str) -> None:
        """Let the counters of a route's errors begin at 0: Prometheus sees no increase in a series that begins at 1."""
        for status in ("500", "503"):
            self.requests.labels(route, method, status)


def telemetry_of(service: str, settings: TraceSettings) -> Telemetry:
    """Return the telemetry of a service, with traces if the settings name a collector."""
    if settings.traces_url is None:
        return Telemetry(service)
    # Imported here, because a service that is not traced must not pay for it.
    from desk.chassis.tracing.export import exported  # noqa: PLC0415

    return Telemetry(service, exported(service, version_of(service), settings.traces_url, settings.traces_sample))


def version_of(service: str) -> str:
    """Return the version of a service's package; ``unknown`` if there is no such package."""
    try:
        return version(f"desk-{service}")
    except PackageNotFoundError:
        return "unknown"
