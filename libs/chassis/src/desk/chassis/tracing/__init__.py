"""Traces: one for each request, through all services and the broker, with nothing personal in them.

Spans are written at the few places that every request passes: the middleware, the client of other services, the relay,
the consumer of events, and the sending of messages. The W3C trace context travels in the header ``traceparent`` of HTTP
and of messages, and between them in rows. A service without a :class:`Tracing` does nothing of this.
"""

from desk.chassis.tracing.calls import TracedTransport
from desk.chassis.tracing.spans import (
    ATTRIBUTES,
    TRACEPARENT,
    Tracing,
    annotate_event,
    current_traceparent,
    mark_failed,
)

__all__ = [
    "ATTRIBUTES",
    "TRACEPARENT",
    "TracedTransport",
    "Tracing",
    "annotate_event",
    "current_traceparent",
    "mark_failed",
]
