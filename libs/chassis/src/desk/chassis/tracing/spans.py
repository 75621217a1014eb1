"""Spans, the current one, and the trace context that continues it elsewhere."""

import asyncio
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum

import structlog
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, StatusCode, Tracer, format_trace_id, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from desk.security.logs import safe_text

TRACEPARENT = "traceparent"
"""The header of the trace context, in HTTP and in messages."""
CLOSE_SECONDS = 3.0
"""How long a stopping service waits for the export of its last spans."""

_METHOD, _ROUTE, _STATUS = "http.request.method", "http.route", "http.response.status_code"
_CALLEE, _ERROR = "peer.service", "error.type"
_EVENT, _MESSAGE = "cloudevents.event_type", "messaging.message.id"
ATTRIBUTES = frozenset({_METHOD, _ROUTE, _STATUS, _CALLEE, _ERROR, _EVENT, _MESSAGE})
"""All attributes of spans. None has a part of a URL, a header, a body, a statement or the text of an exception."""

_SERVER_ERROR = 500
_TRACE_ID = re.compile(r"[0-9a-f]{32}")
_propagator = TraceContextTextMapPropagator()


@dataclass(frozen=True, slots=True)
class _Active:
    tracing: "Tracing"
    span: Span


_active: ContextVar[_Active | None] = ContextVar("desk_active_span", default=None)
wanted_trace_id: ContextVar[int] = ContextVar("desk_wanted_trace_id", default=0)
"""The id of a trace that begins now; 0 for a random one."""


def current_traceparent() -> str | None:
    """Return the trace context of the current span, for a header or a row; None outside of spans."""
    active = _active.get()
    if active is None:
        return None
    span = active.span.get_span_context()  # formatted here: the propagator takes several times as long
    return f"00-{span.trace_id:032x}-{span.span_id:016x}-{span.trace_flags:02x}"


def annotate_event(kind: str) -> None:
    """Record the type of the event that the current span handles; ``kind`` is the type of one of our events."""
    active = _active.get()
    if active is not None:
        active.span.set_attribute(_EVENT, kind)


def mark_failed(error: BaseException | StrEnum) -> None:
    """Mark the current span as failed, with a code or the name of the exception's class, and without its text."""
    active = _active.get()
    if active is not None:
        _fail(active.span, error)


def record_status(span: Span, status: int) -> None:
    """Record the status of an HTTP response; from 500 on the span has failed."""
    span.set_attribute(_STATUS, status)
    if status >= _SERVER_ERROR:
        span.set_status(StatusCode.ERROR)


def trace_call(callee: str, method: str) -> AbstractContextManager[Span | None]:
    """Trace a call to another service as a part of the current span; None outside of spans."""
    active = _active.get()
    if active is None:
        return nullcontext()
    return active.tracing.call(active.span, callee, method)


class Tracing:
    """The spans of one service."""

    def __init__(self, tracer: Tracer, shut_down: Callable[[], None]) -> None:
        """``shut_down`` exports the last spans; it may block."""
        self._tracer = tracer
        self._shut_down = shut_down

    def request(self, method: str, request_id: str, traceparent: str | None) -> AbstractContextManager[Span]:
        """Trace an HTTP request.

        Without the trace context of another service a trace begins, whose id is that of the request if it has the form.
        """
        wanted = int(request_id, 16) if _TRACE_ID.fullmatch(request_id) else 0
        return self._span(method, SpanKind.SERVER, _remote(traceparent), {_METHOD: method}, wanted)

    def end_request(self, span: Span, method: str, route: str, status: int) -> None:
        """Record how a request was answered; ``route`` is a template such as ``/api/requests``."""
        span.update_name(f"{method} {route}")
        span.set_attribute(_ROUTE, route)
        record_status(span, status)

    def call(self, within: Span, callee: str, method: str) -> AbstractContextManager[Span]:
        """Trace a call to another service."""
        parent = set_span_in_context(within, Context())
        return self._span(f"{method} {callee}", SpanKind.CLIENT, parent, {_METHOD: method, _CALLEE: callee})

    def publish(self, kind: str, message_id: str, traceparent: str | None) -> AbstractContextManager[Span]:
        """Trace the publication of one of our events, which was stored with a trace context."""
        attributes = {_EVENT: kind, _MESSAGE: safe_text(message_id)}
        return self._span(f"publish {kind}", SpanKind.PRODUCER, _remote(traceparent), attributes)

    def process(self, queue: str, message_id: str, traceparent: str | None) -> AbstractContextManager[Span]:
        """Trace the handling of a message, whose sender has chosen its id and its trace context."""
        attributes = {_MESSAGE: safe_text(message_id)}
        return self._span(f"process {queue}", SpanKind.CONSUMER, _remote(traceparent), attributes)

    def send(self, channel: str, message_id: str, traceparent: str | None) -> AbstractContextManager[Span]:
        """Trace an attempt to send a message over a channel, such as ``sms``."""
        return self._span(f"send {channel}", SpanKind.CLIENT, _remote(traceparent), {_MESSAGE: message_id})

    async def close(self) -> None:
        """Export the last spans, within three seconds, because the collector may be unavailable."""
        ending = threading.Thread(target=self._shut_down, name="export of the last spans", daemon=True)
        ending.start()
        await asyncio.to_thread(ending.join, CLOSE_SECONDS)

    @contextmanager
    def _span(
        self, name: str, kind: SpanKind, parent: Context, attributes: Mapping[str, str], wanted: int = 0
    ) -> Iterator[Span]:
        id_token = wanted_trace_id.set(wanted)
        span = self._tracer.start_span(name, parent, kind, attributes)
        wanted_trace_id.reset(id_token)
        token = _active.set(_Active(self, span))
        trace_id = format_trace_id(span.get_span_context().trace_id)
        try:
            with structlog.contextvars.bound_contextvars(trace_id=trace_id):
                yield span
        except BaseException as error:
            _fail(span, error)
            raise
        finally:
            _active.reset(token)
            span.end()


def _remote(traceparent: str | None) -> Context:
    """Return the context of a span in another process, or an empty one. A state that a sender adds is left out."""
    return _propagator.extract({TRACEPARENT: traceparent}, Context()) if traceparent else Context()


def _fail(span: Span, error: BaseException | StrEnum) -> None:
    span.set_attribute(_ERROR, error.value if isinstance(error, StrEnum) else type(error).__name__)
    span.set_status(StatusCode.ERROR)
