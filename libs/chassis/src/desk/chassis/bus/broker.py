"""The interface of both brokers: topic exchanges, durable queues, delayed retries and dead letters."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from desk.chassis.events import Message

RETRY_DELAYS = (timedelta(seconds=5), timedelta(minutes=1), timedelta(minutes=10), timedelta(hours=1))
"""Delays before the second, third, fourth and fifth delivery of an event; then it is dead-lettered."""


DEAD_LETTER_TERM = timedelta(days=30)
"""How long a dead letter is kept: it contains personal data, though encrypted."""

BURST_SECONDS = 25
"""An untrusted queue may be consumed as fast as possible for as many messages as its pace allows in this time."""


class UnroutableError(Exception):
    """No queue is bound for the event, so it must stay in the outbox."""


class BrokerUnavailableError(Exception):
    """The broker is unreachable, refuses, or does not confirm in time."""


class ContractError(Exception):
    """An event that can never be handled: it does not parse, or its type is unknown. A retry cannot help.

    ``field`` and ``rule`` name the first fault for the event's sender: where it is, and the rule that is broken.
    """

    def __init__(self, reason: str, *, field: str = "", rule: str = "") -> None:
        super().__init__(reason)
        self.field, self.rule = field, rule


Consumer = Callable[[Message], Awaitable[None]]
"""Handles one message; returns when its effect is committed. ContractError dead-letters it, other errors retry it."""


@dataclass(frozen=True, slots=True)
class QueueSpec:
    """A durable queue and its bindings: pairs of exchange and topic pattern."""

    name: str
    bindings: tuple[tuple[str, str], ...]
    untrusted: bool = False
    """Whether its messages come from outside: the queue is shorter, and its oldest dead letters are dropped."""


@dataclass(frozen=True, slots=True)
class Topology:
    """All exchanges and queues. They are declared at deployment, never at run time."""

    exchanges: tuple[str, ...]
    queues: tuple[QueueSpec, ...]

    def route(self, exchange: str, routing_key: str) -> Iterator[str]:
        """Yield the queues that receive an event published with this routing key."""
        for queue in self.queues:
            if any(where == exchange and topic_matches(pattern, routing_key) for where, pattern in queue.bindings):
                yield queue.name


def topic_matches(pattern: str, routing_key: str) -> bool:
    """Return whether an AMQP topic pattern (``*`` one word, ``#`` any number of words) matches a routing key."""
    return _words_match(pattern.split("."), routing_key.split(".") if routing_key else [])


def _words_match(pattern: list[str], words: list[str]) -> bool:
    if not pattern:
        return not words
    head, rest = pattern[0], pattern[1:]
    if head == "#":
        return any(_words_match(rest, words[skip:]) for skip in range(len(words) + 1))
    return bool(words) and head in {"*", words[0]} and _words_match(rest, words[1:])


class Broker(Protocol):
    """Delivers published events to consumers, at least once."""

    async def publish(self, message: Message) -> None:
        """Return once the message is stored in every bound queue. Raises UnroutableError or BrokerUnavailableError."""

    async def consume(self, queue: str, consumer: Consumer) -> None:
        """Start to deliver the queue's messages to ``consumer``, a few at a time, until :meth:`drain`."""

    async def consume_paced(self, queues: Sequence[str], consumer: Consumer, per_second: float) -> None:
        """Consume untrusted queues, each for itself and at most so many messages a second after a burst.

        A queue whose sender floods it, or whose dead letters cannot be stored, delays no other queue.
        """

    async def drain(self) -> None:
        """Deliver no more messages and wait for running handlers. Publishing still works."""

    async def close(self) -> None:
        """Drain, then close all connections."""

    def alive(self) -> bool:
        """Return whether every consumer's channel works, not merely whether a task runs."""
