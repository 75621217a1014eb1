"""Logs and metrics of a service. They never contain a name, a number, a text or a URL's query."""

import logging
import sys
from typing import Literal

import structlog
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


def configure_logging(style: Literal["json", "console"] = "json", level: str = "INFO") -> None:
    """Write every log line, including the libraries', to standard error in one format."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if style == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    logging.raiseExceptions = False  # the dump of a failed log call repeats its arguments
    for name in ("httpx", "aiosqlite"):  # they log whole URLs, and statements with their parameters
        logging.getLogger(name).setLevel("WARNING")
