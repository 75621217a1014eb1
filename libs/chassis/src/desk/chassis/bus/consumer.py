"""Consuming events: parse, add to the inbox and handle, in one transaction."""

import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from desk.chassis.bus.broker import Broker, ContractError
from desk.chassis.event_encryption import JSON_OBJECT, EventDecryptionError, EventDecryptor
from desk.chassis.events import E_, Envelope, Event, Message, Received, record_in_inbox
from desk.chassis.telemetry import Telemetry
from desk.database import Database

log = structlog.get_logger(__name__)

Handler = Callable[[AsyncSession, Received[E_]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class _Subscription:
    event: type[Event]
    handler: Callable[[AsyncSession, Received[Any]], Awaitable[None]]


class Bus:
    """The events one service consumes: its queue, and a handler for each type of event."""

    def __init__(
        self,
        queue: str,
        database: Database,
        broker: Broker,
        telemetry: Telemetry,
        decryptor: EventDecryptor,
        *,
        untrusted_queues: Sequence[str] = (),
        per_second: float = math.inf,
    ) -> None:
        """``untrusted_queues`` are consumed each for itself, at most ``per_second`` messages of each after a burst."""
        self._queue = queue
        self._untrusted_queues = untrusted_queues
        self._per_second = per_second
        self._database = database
        self._broker = broker
        self._telemetry = telemetry
        self._decryptor = decryptor
        self._subscriptions: dict[str, _Subscription] = {}

    @property
    def consumed_events(self) -> tuple[type[Event], ...]:
        """The events that this service has handlers for."""
        return tuple(subscription.event for subscription in self._subscriptions.values())

    def subscribe(self, event: type[E_], handler: Handler[E_]) -> None:
        """Call ``handler`` once for every ``event``, in one transaction with its inbox row."""
        self._subscriptions[event.type()] = _Subscription(event, handler)

    async def start(self) -> None:
        """Start to consume."""
        self._telemetry.broker_alive.set_function(self._broker.alive)
        await self._broker.consume(self._queue, self.handle)
        if self._untrusted_queues:
            await self._broker.consume_paced(self._untrusted_queues, self.handle, self._per_second)

    async def stop(self) -> None:
        """Consume no more messages and let running handlers finish."""
        await self._broker.drain()

    async def handle(self, message: Message) -> None:
        """Handle one message. Raises ContractError if it can never be handled."""
        envelope = _parse_envelope(message)
        subscription = self._subscriptions.get(envelope.type)
        if subscription is None:
            raise ContractError(f"{self._queue} has no handler for type {envelope.type}")
        if message.exchange != subscription.event.exchange:
            raise ContractError(f"{envelope.type} does not come from {message.exchange}")
        data = self._read(subscription.event, envelope)
        received = Received(
            id=envelope.id,
            source=envelope.source,
            subject=envelope.subject,
            seq=envelope.seq,
            time=envelope.time,
            data=data,
            routing_key=message.routing_key,
            sender=message.sender,
            last_attempt=message.last_attempt,
        )
        async with self._database.transaction() as session:
            if not await record_in_inbox(session, envelope.id):
                self._telemetry.events.labels(envelope.type, "repeated").inc()
                return
            await subscription.handler(session, received)
        self._telemetry.events.labels(envelope.type, "handled").inc()
        log.info("event handled", type=envelope.type, event_id=envelope.id, seq=envelope.seq)

    def _read(self, event: type[Event], envelope: Envelope) -> Event:
        try:
            plain = self._decryptor.decrypt(envelope.data.model_dump(), envelope.id)
            return event.model_validate(JSON_OBJECT.validate_json(plain))
        except EventDecryptionError as error:
            raise ContractError(f"{envelope.type}: {error}") from None
        except ValidationError as error:
            raise ContractError(f"{envelope.type}: {_without_values(error)}") from None


def _parse_envelope(message: Message) -> Envelope:
    try:
        envelope = Envelope.model_validate_json(message.body)
    except ValidationError as error:
        wrong = {part["loc"][:1] for part in error.errors()}
        clear = "the data is not encrypted; " if wrong == {("datacontenttype",), ("data",)} else ""
        raise ContractError(f"not a CloudEvent: {clear}{_without_values(error)}") from None
    if envelope.id != message.id:
        raise ContractError("message_id differs from the event's id")
    return envelope


def _without_values(error: ValidationError) -> str:
    """Return what is wrong and where, without the values, which may be personal data."""
    return "; ".join(f"{'.'.join(map(str, part['loc']))}: {part['type']}" for part in error.errors())
