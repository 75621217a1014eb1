"""What the desk expects on a RabbitMQ: exchanges, quorum queues, delay queues for retries, dead letters.

::

    desk.events ─┐                       fails           after the delay
    desk.cases ──┴─► queue ─► consumer ────────► desk.delay ─► delay.5s ─► desk.retry ─► queue
                                  │ a retry cannot help, or none is left
                                  └────────────► desk.dead ──► queue.dead ─► an operator's replay ─► desk.retry ─► queue

Only services and operators may write to ``desk.delay``, ``desk.retry`` and ``desk.dead``, so the headers of a message
from ``desk.retry`` can be trusted.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from desk.chassis.bus.broker import DEAD_LETTER_TERM, RETRY_DELAYS, QueueSpec, Topology

DELAY_EXCHANGE, RETRY_EXCHANGE, DEAD_EXCHANGE = "desk.delay", "desk.retry", "desk.dead"

DELIVERY_LIMIT = 20
"""Unacknowledged deliveries after which the broker dead-letters a message, because it crashes its consumers.
RabbitMQ has no default limit before 4.0."""

QUEUE_LENGTH = 1_000_000
"""A limit for every queue, far above normal use. Beyond it the broker refuses, and events wait in the outbox."""

UNTRUSTED_LENGTH, UNTRUSTED_DEAD_LENGTH = 100_000, 10_000
"""Limits of a queue whose messages come from outside, and of its dead letters. Beyond the first the broker refuses the
sender's messages; beyond the second the oldest dead letters are dropped, because their sender has to repeat them."""

DEAD_LETTER_DELIVERY_LIMIT = 1_000_000
"""Reading a dead letter counts as a delivery, and RabbitMQ 4.0 would delete it after twenty."""


@dataclass(frozen=True, slots=True)
class QueueLayout:
    """A durable queue and its arguments, which cannot be changed after its declaration."""

    name: str
    arguments: dict[str, str | int]


@dataclass(frozen=True, slots=True)
class BindingLayout:
    """A binding of a queue to an exchange."""

    exchange: str
    queue: str
    routing_key: str


@dataclass(frozen=True, slots=True)
class Layout:
    """All durable topic exchanges, queues and bindings."""

    exchanges: tuple[str, ...]
    queues: tuple[QueueLayout, ...]
    bindings: tuple[BindingLayout, ...]


def rabbit_layout(
    topology: Topology, *, retried: Collection[str], retry_delays: Sequence[timedelta] = RETRY_DELAYS
) -> Layout:
    """Return the layout of a topology; ``retried`` names the queues whose consumers use delayed retries."""
    return Layout(
        exchanges=tuple(dict.fromkeys((*topology.exchanges, DELAY_EXCHANGE, RETRY_EXCHANGE, DEAD_EXCHANGE))),
        queues=(
            *map(_queue, topology.queues),
            *map(_dead_queue, topology.queues),
            *(_delay_queue(delay) for delay in retry_delays),
        ),
        bindings=tuple(_bindings(topology, retried, retry_delays)),
    )


def dead_queue(queue: str) -> str:
    """Return the name of the queue that stores another queue's dead letters."""
    return f"{queue}.dead"


def replay_key(queue: str) -> str:
    """Return the routing key that sends a message through ``desk.retry`` directly back to its queue."""
    return f"replay.{queue}"


def delay_key(delay: timedelta, queue: str) -> str:
    """Return the routing key that sends a message through ``desk.delay`` and back to its queue after ``delay``."""
    return f"{_short(delay)}.{queue}"


def _bindings(topology: Topology, retried: Collection[str], delays: Sequence[timedelta]) -> Iterator[BindingLayout]:
    for queue in topology.queues:
        for exchange, pattern in queue.bindings:
            yield BindingLayout(exchange, queue.name, pattern)
        yield BindingLayout(DEAD_EXCHANGE, dead_queue(queue.name), queue.name)
        yield BindingLayout(RETRY_EXCHANGE, queue.name, replay_key(queue.name))
        if queue.name in retried:
            for delay in delays:
                yield BindingLayout(RETRY_EXCHANGE, queue.name, delay_key(delay, queue.name))
    for delay in delays:
        yield BindingLayout(DELAY_EXCHANGE, f"delay.{_short(delay)}", f"{_short(delay)}.#")


def _queue(queue: QueueSpec) -> QueueLayout:
    shorter: dict[str, str | int] = {"x-max-length": UNTRUSTED_LENGTH} if queue.untrusted else {}
    return QueueLayout(
        queue.name,
        {
            "x-dead-letter-exchange": DEAD_EXCHANGE,
            "x-dead-letter-routing-key": queue.name,
            "x-delivery-limit": DELIVERY_LIMIT,
            **_AT_LEAST_ONCE,
            **_BOUNDED,
            **shorter,
        },
    )


def _dead_queue(queue: QueueSpec) -> QueueLayout:
    dropping: dict[str, str | int] = (
        {"x-overflow": "drop-head", "x-max-length": UNTRUSTED_DEAD_LENGTH} if queue.untrusted else {}
    )
    return QueueLayout(
        dead_queue(queue.name),
        {
            "x-delivery-limit": DEAD_LETTER_DELIVERY_LIMIT,
            "x-message-ttl": round(DEAD_LETTER_TERM.total_seconds() * 1000),
            **_BOUNDED,
            **dropping,
        },
    )


def _delay_queue(delay: timedelta) -> QueueLayout:
    # One per delay, for all queues: an expired message keeps its routing key, which names the queue it returns to.
    return QueueLayout(
        f"delay.{_short(delay)}",
        {
            "x-dead-letter-exchange": RETRY_EXCHANGE,
            "x-message-ttl": round(delay.total_seconds() * 1000),
            **_AT_LEAST_ONCE,
            **_BOUNDED,
        },
    )


_BOUNDED: dict[str, str | int] = {
    "x-queue-type": "quorum",
    "x-overflow": "reject-publish",
    "x-max-length": QUEUE_LENGTH,
}
# Works only together with reject-publish; without either, a message can be lost while it is dead-lettered.
_AT_LEAST_ONCE: dict[str, str | int] = {"x-dead-letter-strategy": "at-least-once"}


def _short(delay: timedelta) -> str:
    milliseconds = round(delay.total_seconds() * 1000)
    for unit, size in (("h", 3_600_000), ("m", 60_000), ("s", 1000)):
        if milliseconds % size == 0:
            return f"{milliseconds // size}{unit}"
    return f"{milliseconds}ms"
