"""Consuming events: parse, add to the inbox and handle, in one transaction."""

import math
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from pydantic import ValidationError

from desk.chassis.bus.broker import Broker, ContractError
from desk.chassis.event_encryption import JSON_OBJECT, EventDecryptionError, EventDecryptor
from desk.chassis.events import E_, Envelope, Event, Message, Received, record_in_inbox
from desk.chassis.telemetry import Telemetry
from desk.chassis.tracing import annotate_event
from desk.database import Database, DatabaseSession

log = structlog.get_logger(__name__)

Handler = Callable[[DatabaseSession, Received[E_]], Awaitable[None]]
_READABLE = re.compile(r"[!-~]{1,64}")
"""What may be repeated to the sender of an event: the form of ids and subjects."""


@dataclass(frozen=True, slots=True)
class InvalidEvent:
    """What can be read of an event that can never be handled, and its first fault.

    ``id`` and ``subject`` are None if they cannot be read. ``field`` and ``rule`` are those of a ContractError.
    """

    id: str | None
    subject: str | None
    field: str
    rule: str
    exchange: str
    routing_key: str
    sender: str | None


InvalidHandler = Callable[[DatabaseSession, InvalidEvent], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class _Subscription:
    event: type[Event]
    handler: Callable[[DatabaseSession, Received[Any]], Awaitable[None]]


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
        self._on_invalid: InvalidHandler | None = None

    @property
    def consumed_events(self) -> tuple[type[Event], ...]:
        """The events that this service has handlers for."""
        return tuple(subscription.event for subscription in self._subscriptions.values())

    def subscribe(self, event: type[E_], handler: Handler[E_]) -> None:
        """Call ``handler`` once for every ``event``, in one transaction with its inbox row."""
        self._subscriptions[event.type()] = _Subscription(event, handler)

    def on_invalid(self, handler: InvalidHandler) -> None:
        """Call ``handler`` for every event that can never be handled, before the event is dead-lettered.

        It is called again for an event that is delivered again.
        """
        self._on_invalid = handler

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
        try:
            handler, received = self._read(message)
        except ContractError as error:
            if self._on_invalid is not None:
                async with self._database.transaction() as session:
                    await self._on_invalid(session, _invalid_event(message, error))
            raise
        annotate_event(received.data.type())
        async with self._database.transaction() as session:
            if not await record_in_inbox(session, received.id):
                self._telemetry.events.labels(received.data.type(), "repeated").inc()
                return
            await handler(session, received)
        kind = received.data.type()
        self._telemetry.events.labels(kind, "handled").inc()
        log.info("event handled", type=kind, event_id=received.id, seq=received.seq)

    def _read(self, message: Message) -> tuple[Handler[Any], Received[Any]]:
        envelope = _parse_envelope(message)
        subscription = self._subscriptions.get(envelope.type)
        if subscription is None:
            reason = f"{self._queue} has no handler for type {envelope.type}"
            raise ContractError(reason, field="type", rule="unknown")
        if message.exchange != subscription.event.exchange:
            reason = f"{envelope.type} does not come from {message.exchange}"
            raise ContractError(reason, field="type", rule="wrong_exchange")
        data = self._read_data(subscription.event, envelope)
        return subscription.handler, Received(
            id=envelope.id,
            source=envelope.source,
            subject=envelope.subject,
            seq=envelope.seq,
            time=envelope.time,
            data=data,
            routing_key=message.routing_key,
            sender=message.sender,
            last_attempt=message.last_attempt,
            failures=message.failures,
        )

    def _read_data(self, event: type[Event], envelope: Envelope) -> Event:
        try:
            plain = self._decryptor.decrypt(envelope.data, envelope.id)
            return event.model_validate(JSON_OBJECT.validate_json(plain))
        except EventDecryptionError as error:
            raise ContractError(f"{envelope.type}: {error}", field="data", rule="not_decrypted") from None
        except ValidationError as error:
            raise _broken(envelope.type, error, "data") from None


def _parse_envelope(message: Message) -> Envelope:
    try:
        envelope = Envelope.model_validate_json(message.body)
    except ValidationError as error:
        wrong = {part["loc"][:1] for part in error.errors()}
        clear = " (the data is not encrypted)" if wrong == {("datacontenttype",), ("data",)} else ""
        raise _broken(f"not a CloudEvent{clear}", error) from None
    if envelope.id != message.id:
        raise ContractError("message_id differs from the event's id", field="message_id", rule="differs_from_id")
    return envelope


def _broken(what: str, error: ValidationError, *where: str) -> ContractError:
    """Return an error with what is wrong and where below ``where``, without the values, which may be personal data."""
    faults = [(".".join(map(str, (*where, *part["loc"]))), part["type"]) for part in error.errors()]
    field, rule = faults[0]
    return ContractError(f"{what}: {'; '.join(map(': '.join, faults))}", field=field or "body", rule=rule)


def _invalid_event(message: Message, error: ContractError) -> InvalidEvent:
    try:
        body = JSON_OBJECT.validate_json(message.body)
    except ValidationError:
        body = {}
    event_id, subject = (_readable(body.get(name)) for name in ("id", "subject"))
    return InvalidEvent(
        event_id or _readable(message.id),
        subject,
        error.field,
        error.rule,
        message.exchange,
        message.routing_key,
        message.sender,
    )


def _readable(value: object) -> str | None:
    return value if isinstance(value, str) and _READABLE.fullmatch(value) else None
