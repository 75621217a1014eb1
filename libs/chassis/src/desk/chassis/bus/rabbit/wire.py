"""Our messages as RabbitMQ carries them, and what their headers say of retries and dead letters.

Headers never hold anything personal: where the event first went, who sent it, how often it was tried, why it died.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

import aio_pika
from aio_pika.abc import AbstractIncomingMessage, HeadersType

from desk.chassis.bus.rabbit.layout import RETRY_EXCHANGE
from desk.chassis.events import CONTENT_TYPE, Message

EXCHANGE, ROUTING_KEY, SENDER = "desk-exchange", "desk-routing-key", "desk-sender"
TRIES, DIED_OF = "desk-tries", "desk-died-of"
REASON_LENGTH = 500


@dataclass(frozen=True, slots=True)
class Journey:
    """Where an event was first published, by whom as far as the broker vouches for it, and how often it failed."""

    exchange: str
    routing_key: str
    sender: str | None
    failures: int = 0

    def headers(self) -> HeadersType:
        """Write it down for the event's next round."""
        written: HeadersType = {EXCHANGE: self.exchange, ROUTING_KEY: self.routing_key, TRIES: self.failures}
        return written | {SENDER: self.sender} if self.sender is not None else written


def journey_of(incoming: AbstractIncomingMessage, *, trusted: bool | None = None) -> Journey:
    """Read an event's journey: from its headers if it comes from one of us, else from what the broker says.

    Unless told, that is what comes through ``desk.retry``: provinces may send any header, but not write there.
    """
    if trusted is None:
        trusted = incoming.exchange == RETRY_EXCHANGE
    headers = incoming.headers
    if not trusted or EXCHANGE not in headers:
        return Journey(incoming.exchange or "", incoming.routing_key or "", incoming.user_id)
    sender = headers.get(SENDER)
    failures = headers.get(TRIES)
    return Journey(
        exchange=str(headers[EXCHANGE]),
        routing_key=str(headers.get(ROUTING_KEY, "")),
        sender=None if sender is None else str(sender),
        failures=failures if isinstance(failures, int) else 0,
    )


def to_wire(message: Message, user: str | None) -> aio_pika.Message:
    """Dress an event for its first journey."""
    return aio_pika.Message(
        message.body,
        content_type=CONTENT_TYPE,
        delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
        message_id=message.id,
        timestamp=datetime.now(UTC),
        type=message.type,
        user_id=user,
    )


def from_wire(incoming: AbstractIncomingMessage, journey: Journey) -> Message:
    """Give the event a consumer is to handle."""
    return Message(
        id=incoming.message_id or "",
        exchange=journey.exchange,
        routing_key=journey.routing_key,
        type=incoming.type or "",
        body=incoming.body,
        sender=journey.sender,
    )


def sent_on(incoming: AbstractIncomingMessage, headers: HeadersType, user: str | None) -> aio_pika.Message:
    """Dress the same event for another round, with our headers and none it came with."""
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
