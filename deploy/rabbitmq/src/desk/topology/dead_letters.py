"""Commands for dead letters: count them, describe them without their content, replay them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime

from aio_pika.abc import AbstractIncomingMessage
from aio_pika.exceptions import PublishError

from desk.chassis.bus import BrokerUnavailableError
from desk.chassis.bus.rabbit.connection import (
    ChannelConnection,
    address,
    open_connection,
    translate_broker_errors,
    user_of,
)
from desk.chassis.bus.rabbit.layout import RETRY_EXCHANGE, dead_queue, replay_key
from desk.chassis.bus.rabbit.wire import DIED_OF, EXCHANGE, DeliveryHistory, delivery_history, republished
from desk.topology.errors import TopologyError
from desk.topology.table import SERVICES

ANSWER_SECONDS = 5.0
_REASONS = {"rejected": "refused unread: too large", "delivery_limit": "delivered too often without an answer"}


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """The description of a dead letter. Its body is not included."""

    id: str
    type: str
    routing_key: str
    sent_at: datetime | None
    size: int
    died_of: str


class DeadLetters:
    """The dead letters of all queues, over one connection of the operator."""

    def __init__(self, link: ChannelConnection, user: str | None) -> None:
        self._link = link
        self._user = user

    async def count(self, queue: str) -> int:
        """Count a queue's dead letters."""
        async with asyncio.timeout(ANSWER_SECONDS):
            dead = await self._link.channel.get_queue(dead_queue(queue))
        return dead.declaration_result.message_count or 0

    async def look(self, queue: str, limit: int) -> list[DeadLetter]:
        """Return the first dead letters; they return to the queue when the connection is closed."""
        dead = await self._link.channel.get_queue(dead_queue(queue))
        seen: list[DeadLetter] = []
        while len(seen) < limit and (incoming := await dead.get(fail=False, timeout=ANSWER_SECONDS)) is not None:
            seen.append(self._described(incoming))
        return seen

    async def replay(self, queue: str, limit: int | None) -> int:
        """Publish up to ``limit`` of them to their queue again; return the number.

        Each is removed after its copy is confirmed. After an interruption both may exist; the inbox then applies one.
        """
        dead = await self._link.channel.get_queue(dead_queue(queue))
        retry = await self._link.channel.get_exchange(RETRY_EXCHANGE, ensure=False)
        at_most = (
            dead.declaration_result.message_count or 0
        )  # letters that arrive during the replay are left for another one
        replayed = 0
        while replayed < min(at_most, limit if limit is not None else at_most):
            incoming = await dead.get(fail=False, timeout=ANSWER_SECONDS)
            if incoming is None:
                break
            journey = replace(self._journey(incoming), failures=0)
            sent = republished(incoming, journey.headers(), self._user)
            try:
                await retry.publish(sent, replay_key(queue), mandatory=True, timeout=ANSWER_SECONDS)
            except PublishError:
                raise TopologyError(f"{queue} is not bound for replays: run desk-topology apply first") from None
            await incoming.ack()
            replayed += 1
        return replayed

    def _described(self, incoming: AbstractIncomingMessage) -> DeadLetter:
        died_of = incoming.headers.get(DIED_OF) if self._is_ours(incoming) else None
        return DeadLetter(
            id=incoming.message_id or "-",
            type=incoming.type or "-",
            routing_key=self._journey(incoming).routing_key,
            sent_at=incoming.timestamp,
            size=len(incoming.body),
            died_of=str(died_of or _death_of(incoming).get("reason", "unknown")),
        )

    def _journey(self, incoming: AbstractIncomingMessage) -> DeliveryHistory:
        if EXCHANGE in incoming.headers and self._is_ours(incoming):
            return delivery_history(incoming, trusted=True)
        death = _death_of(incoming)
        return DeliveryHistory(death.get("exchange", ""), death.get("routing_key", ""), incoming.user_id)

    def _is_ours(self, incoming: AbstractIncomingMessage) -> bool:
        # A province may send any header, but only as its own user.
        return incoming.user_id in {self._user, *(service.user for service in SERVICES)}


@asynccontextmanager
async def dead_letters(url: str) -> AsyncIterator[DeadLetters]:
    """Connect as the operator. Raises TopologyError, also for errors within the block."""
    try:
        with translate_broker_errors():
            link = await open_connection(address(url, "desk-topology"), confirms=True)
            try:
                yield DeadLetters(link, user_of(url))
            finally:
                await link.close()
    except BrokerUnavailableError as error:
        raise TopologyError(f"RabbitMQ: {error}") from None


def _death_of(incoming: AbstractIncomingMessage) -> dict[str, str]:
    """Return the broker's own header on a message that it has moved; the latest death comes first."""
    deaths = incoming.headers.get("x-death")
    if not isinstance(deaths, list):
        return {}
    entries = [death for death in deaths if isinstance(death, dict)]
    if not entries:
        return {}
    latest, first = entries[0], entries[-1]
    keys = first.get("routing-keys")
    reason = str(latest.get("reason", ""))
    return {
        "exchange": str(first.get("exchange", "")),
        "routing_key": str(keys[0]) if isinstance(keys, list) and keys else "",
        "reason": _REASONS.get(reason, reason),
    }
