"""What both brokers are: topic exchanges, durable queues, delayed retries and dead letters."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from desk.chassis.events import Message

RETRY_DELAYS = (timedelta(seconds=5), timedelta(minutes=1), timedelta(minutes=10), timedelta(hours=1))
"""How long an event waits before its second, third, fourth and fifth delivery; then it is a dead letter."""


class UnroutableError(Exception):
    """No queue is bound for the event: it must stay in the outbox."""


class BrokerUnavailableError(Exception):
    """The broker cannot be reached, refuses, or does not confirm in time."""


class ContractError(Exception):
    """An event that can never be handled as it is (it does not parse, nobody knows its type): no retry helps."""


Consumer = Callable[[Message], Awaitable[None]]
"""Handles one message; returns when its effect is committed. ContractError means dead letter, anything else retry."""


@dataclass(frozen=True, slots=True)
class QueueSpec:
    """A durable queue and what is bound to it: pairs of exchange and topic pattern."""

    name: str
    bindings: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Topology:
    """All exchanges and queues, declared at deployment and never at run time."""

    exchanges: tuple[str, ...]
    queues: tuple[QueueSpec, ...]

    def route(self, exchange: str, routing_key: str) -> Iterator[str]:
        """Yield the queues an event published so would reach."""
        for queue in self.queues:
            if any(where == exchange and topic_matches(pattern, routing_key) for where, pattern in queue.bindings):
                yield queue.name


def topic_matches(pattern: str, routing_key: str) -> bool:
    """Tell whether an AMQP topic pattern (``*`` one word, ``#`` any number of words) matches a routing key."""
    return _words_match(pattern.split("."), routing_key.split(".") if routing_key else [])


def _words_match(pattern: list[str], words: list[str]) -> bool:
    if not pattern:
        return not words
    head, rest = pattern[0], pattern[1:]
    if head == "#":
        return any(_words_match(rest, words[skip:]) for skip in range(len(words) + 1))
    return bool(words) and head in {"*", words[0]} and _words_match(rest, words[1:])


class Broker(Protocol):
    """Takes events and hands them to consumers, at least once."""

    async def publish(self, message: Message) -> None:
        """Return once the message is safe in every bound queue. Raises UnroutableError or BrokerUnavailableError."""

    async def consume(self, queue: str, consumer: Consumer) -> None:
        """Begin to hand the queue's messages to ``consumer``, a few at a time, and go on until :meth:`drain`."""

    async def drain(self) -> None:
        """Hand out no more messages and wait for the handlers that are at work; publishing still goes."""

    async def close(self) -> None:
        """Drain, and leave."""

    def alive(self) -> bool:
        """Tell whether consumers are really being served, not merely whether a process runs."""
