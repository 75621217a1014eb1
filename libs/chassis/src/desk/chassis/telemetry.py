"""Metrics of a service. They never contain a name, a number, a text or a URL's query."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Telemetry:
    """The metrics that every service has. A service adds its own to ``registry``."""

    def __init__(self, service: str) -> None:
        self.service = service
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
        self.crashes = Counter(
            "desk_worker_crashes", "Restarts of failed background work", ["worker"], registry=self.registry
        )
