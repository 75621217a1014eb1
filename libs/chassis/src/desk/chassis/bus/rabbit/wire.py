"""Conversion between our messages and RabbitMQ's, with the headers for retries and dead letters.

Headers contain no personal data: first exchange and routing key, sender, number of failures, reason of dead-lettering,
and the trace context.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

import aio_pika
from aio_pika.abc import AbstractIncomingMessage, HeadersType

from desk.chassis.bus.rabbit.layout import RETRY_EXCHANGE
from desk.chassis.events import CONTENT_TYPE, Message
from desk.chassis.tracing import TRACEPARENT

EXCHANGE, ROUTING_KEY, SENDER = "desk-exchange", "desk-routing-key", "desk-sender"
FAILURES, DIED_OF = "desk-tries", "desk-died-of"
REASON_LENGTH = 500
TRACEPARENT_LENGTH = 55


@dataclass(frozen=True, slots=True)
class DeliveryHistory:
    """Where an event was first published, by which broker user (verified by the broker), and how often it failed."""

    exchange: str
    routing_key: str
    sender: str | None
    failures: int = 0
    traceparent: str | None = None
    """The trace context of the first publication; each attempt continues it."""

    def headers(self) -> HeadersType:
        """Return the headers for the event's next delivery."""
        written: HeadersType = {EXCHANGE: self.exchange, ROUTING_KEY: self.routing_key, FAILURES: self.failures}
        if self.sender is not None:
            written[SENDER] = self.sender
        return written | _trace_header(self.traceparent)


def _trace_header(traceparent: str | None) -> HeadersType:
    return {} if traceparent is None else {TRACEPARENT: traceparent}


def _traceparent_of(headers: HeadersType) -> str | None:
    """Return the trace context of a message, which any sender may set; None if it is no text or too long."""
    given = headers.get(TRACEPARENT)
    return given if isinstance(given, str) and len(given) == TRACEPARENT_LENGTH else None


def delivery_history(incoming: AbstractIncomingMessage, *, trusted: bool | None = None) -> DeliveryHistory:
    """Return an event's history: from its headers if they are trusted, else from the delivery itself.

    By default headers are trusted if the message comes from ``desk.retry``: offices may send any header, but cannot
    publish to that exchange.
    """
    if trusted is None:
        trusted = incoming.exchange == RETRY_EXCHANGE
    headers = incoming.headers
    traceparent = _traceparent_of(headers)
    if not trusted or EXCHANGE not in headers:
        exchange, routing_key = incoming.exchange or "", incoming.routing_key or ""
        return DeliveryHistory(exchange, routing_key, incoming.user_id, traceparent=traceparent)
    sender = headers.get(SENDER)
    failures = headers.get(FAILURES)
    return DeliveryHistory(
        exchange=str(headers[EXCHANGE]),
        routing_key=str(headers.get(ROUTING_KEY, "")),
        sender=None if sender is None else str(sender),
        failures=failures if isinstance(failures, int) else 0,
        traceparent=traceparent,
    )


def to_wire(message: Message, user: str | None) -> aio_pika.Message:
    """Return the message for an event's first publish."""
    return aio_pika.Message(
        message.body,
        headers=_trace_header(message.traceparent),
        content_type=CONTENT_TYPE,
        delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
        message_id=message.id,
        timestamp=datetime.now(UTC),
        type=message.type,
        user_id=user,
    )


def from_wire(incoming: AbstractIncomingMessage, history: DeliveryHistory) -> Message:
    """Return the message that a consumer handles."""
    return Message(
        id=incoming.message_id or "",
        exchange=history.exchange,
        routing_key=history.routing_key,
        type=incoming.type or "",
        body=incoming.body,
        sender=history.sender,
        traceparent=history.traceparent,
    )


def republished(incoming: AbstractIncomingMessage, headers: HeadersType, user: str | None) -> aio_pika.Message:
    """Return a copy of the same event with our headers instead of its own."""
    return aio_pika.Message(
        incoming.body,
        headers=headers,
        content_type=incoming.content_type,
        delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
        message_id=incoming.message_id,
        timestamp=incoming.timestamp,
        type=incoming.type,
        user_id=user,
    )
