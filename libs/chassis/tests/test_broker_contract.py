"""What every broker does, the embedded one and RabbitMQ alike.

A further broker is a further entry in ``BENCHES``: something to publish to, to restart, and to look into.
"""

import asyncio
import uuid
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Protocol

import pytest

from desk.chassis.bus import Broker, ContractError, QueueSpec, Topology, UnroutableError
from desk.chassis.bus.broker import topic_matches
from desk.chassis.bus.embedded import EmbeddedBroker
from desk.chassis.crypto import Vault
from desk.chassis.events import Message

RETRY_DELAYS = (timedelta(seconds=0.1), timedelta(seconds=0.2))
TOPOLOGY = Topology(
    exchanges=("desk.events", "desk.replies"),
    queues=(
        QueueSpec("all", (("desk.events", "#"),)),
        QueueSpec("made", (("desk.events", "thing-made.*"),)),
        QueueSpec("north", (("desk.events", "*.north"), ("desk.events", "thing-made.north"))),
        QueueSpec("replies", (("desk.replies", "thing-kept.*"),)),
    ),
)


class Bench(Protocol):
    """A broker with the topology and retry delays above, and an operator's view of it."""

    broker: Broker

    async def open(self) -> None:
        """Connect."""

    async def reopen(self) -> None:
        """Close the broker and connect to the same one again."""

    async def close(self) -> None:
        """Leave nothing behind."""

    async def waiting(self, queue: str) -> int:
        """Count what is neither handled nor dead, messages that wait for a retry included."""

    async def dead(self, queue: str) -> list[str]:
        """Return the ids of the dead letters."""

    async def replay(self, queue: str) -> int:
        """Put the dead letters back; return how many."""


class EmbeddedBench:
    def __init__(self, folder: Path, vault: Vault) -> None:
        self._url = f"sqlite+aiosqlite:///{folder / 'broker.db'}"
        self._vault = vault
        self.broker = self._new()

    def _new(self) -> EmbeddedBroker:
        return EmbeddedBroker(self._url, TOPOLOGY, self._vault, retry_delays=RETRY_DELAYS)

    async def open(self) -> None:
        await self.broker.open()

    async def reopen(self) -> None:
        await self.broker.close()
        self.broker = self._new()
        await self.broker.open()

    async def close(self) -> None:
        await self.broker.close()

    async def waiting(self, queue: str) -> int:
        return await self.broker.waiting(queue)

    async def dead(self, queue: str) -> list[str]:
        return [message_id for message_id, _ in await self.broker.dead_letters(queue)]

    async def replay(self, queue: str) -> int:
        return await self.broker.replay(queue)


BENCHES = {"embedded": EmbeddedBench}


class RecordingConsumer:
    """A consumer that records messages with their time, and raises the given errors, once each."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.messages: list[Message] = []
        self.times: list[float] = []
        self._more = asyncio.Condition()

    @property
    def ids(self) -> list[str]:
        return [message.id for message in self.messages]

    async def __call__(self, message: Message) -> None:
        async with self._more:
            self.messages.append(message)
            self.times.append(asyncio.get_running_loop().time())
            self._more.notify_all()
        if self.errors:
            raise self.errors.pop(0)

    async def has(self, count: int) -> None:
        async with asyncio.timeout(60), self._more:
            await self._more.wait_for(lambda: len(self.messages) >= count)


class Holder:
    """A consumer that says when it is at work, and finishes when it may."""

    def __init__(self) -> None:
        self.reached, self.go_on = asyncio.Event(), asyncio.Event()
        self.finished: list[str] = []

    async def __call__(self, message: Message) -> None:
        self.reached.set()
        await self.go_on.wait()
        self.finished.append(message.id)


def make(routing_key: str = "thing-made.north", exchange: str = "desk.events", body: bytes = b"{}") -> Message:
    return Message(str(uuid.uuid4()), exchange, routing_key, "ir.haj.desk.thing-made.v1", body)


@pytest.fixture(params=sorted(BENCHES))
async def bench(request: pytest.FixtureRequest, tmp_path: Path, vault: Vault) -> AsyncIterator[Bench]:
    bench = BENCHES[request.param](tmp_path, vault)
    await bench.open()
    yield bench
    await bench.close()


@pytest.fixture
def emptied(bench, until):
    async def emptied(queue: str) -> None:
        async def is_empty() -> bool:
            return await bench.waiting(queue) == 0

        await until(is_empty)

    return emptied


async def test_a_message_reaches_every_bound_queue(bench, emptied):
    takers = {queue: RecordingConsumer() for queue in ("all", "made", "north")}
    for queue, received in takers.items():
        await bench.broker.consume(queue, received)
    message = make()
    await bench.broker.publish(message)
    for queue in takers:
        await emptied(queue)
    assert {queue: received.ids for queue, received in takers.items()} == {queue: [message.id] for queue in takers}


async def test_a_message_that_two_bindings_match_is_in_the_queue_once(bench):
    await bench.broker.publish(make("thing-made.north"))
    assert await bench.waiting("north") == 1


async def test_a_message_arrives_as_it_was_published(bench):
    received = RecordingConsumer()
    await bench.broker.consume("all", received)
    message = make(body='{"متن": "\u200c"}'.encode())
    await bench.broker.publish(message)
    await received.has(1)
    [came] = received.messages
    assert (came.id, came.exchange, came.routing_key, came.type, came.body) == (
        message.id,
        message.exchange,
        message.routing_key,
        message.type,
        message.body,
    )


async def test_messages_come_in_the_order_they_were_published(bench):
    published = [make() for _ in range(20)]
    for message in published:
        await bench.broker.publish(message)
    received = RecordingConsumer()
    await bench.broker.consume("made", received)
    await received.has(20)
    assert received.ids == [message.id for message in published]


async def test_parallel_publishes_all_arrive(bench):
    published = [make() for _ in range(50)]
    await asyncio.gather(*(bench.broker.publish(message) for message in published))
    assert await bench.waiting("made") == 50


@pytest.mark.parametrize(
    ("exchange", "routing_key"),
    [("desk.replies", "thing-lost.north"), ("desk.replies", "thing-kept.north.east"), ("desk.replies", "thing-kept")],
)
async def test_a_message_no_queue_is_bound_for_is_unroutable(bench, exchange, routing_key):
    with pytest.raises(UnroutableError):
        await bench.broker.publish(make(routing_key, exchange))


async def test_an_unroutable_message_is_in_no_queue(bench):
    with pytest.raises(UnroutableError):
        await bench.broker.publish(make("thing-lost.north", "desk.replies"))
    assert [await bench.waiting(queue.name) for queue in TOPOLOGY.queues] == [0, 0, 0, 0]


async def test_a_failed_message_is_delivered_again_after_the_delay(bench):
    received = RecordingConsumer(RuntimeError("not now"))
    await bench.broker.consume("made", received)
    await bench.broker.publish(make())
    await received.has(2)
    assert len(set(received.ids)) == 1
    assert received.times[1] - received.times[0] >= RETRY_DELAYS[0].total_seconds() * 0.95


async def test_a_message_waiting_for_its_retry_does_not_delay_the_next(bench):
    received = RecordingConsumer(RuntimeError("not now"))
    await bench.broker.consume("made", received)
    failing, next_one = make(), make()
    await bench.broker.publish(failing)
    await bench.broker.publish(next_one)
    await received.has(3)
    assert received.ids == [failing.id, next_one.id, failing.id]


async def test_a_message_handled_at_the_second_attempt_is_done(bench, emptied):
    received = RecordingConsumer(RuntimeError("not now"))
    await bench.broker.consume("made", received)
    await bench.broker.publish(make())
    await emptied("made")
    assert (len(received.ids), await bench.dead("made")) == (2, [])


async def test_a_message_that_fails_every_retry_is_a_dead_letter(bench, emptied):
    received = RecordingConsumer(*(RuntimeError("never") for _ in range(9)))
    await bench.broker.consume("made", received)
    message = make()
    await bench.broker.publish(message)
    await emptied("made")
    assert await bench.dead("made") == [message.id]
    assert [each.last_attempt for each in received.messages] == [False] * len(RETRY_DELAYS) + [True]


async def test_a_message_that_breaks_the_contract_is_a_dead_letter_at_once(bench, emptied):
    received = RecordingConsumer(ContractError("unknown event"))
    await bench.broker.consume("made", received)
    message = make()
    await bench.broker.publish(message)
    await emptied("made")
    assert await bench.dead("made") == [message.id]
    assert received.ids == [message.id]


async def test_a_failure_in_one_queue_is_none_in_another(bench, emptied):
    failing, fine = RecordingConsumer(ContractError("no")), RecordingConsumer()
    await bench.broker.consume("made", failing)
    await bench.broker.consume("all", fine)
    await bench.broker.publish(make())
    await emptied("made")
    await emptied("all")
    assert (len(fine.ids), await bench.dead("all")) == (1, [])


async def test_a_replayed_dead_letter_is_handled_by_the_same_consumer(bench, emptied):
    received = RecordingConsumer(ContractError("before the mending"))
    await bench.broker.consume("made", received)
    message = make()
    await bench.broker.publish(message)
    await emptied("made")
    assert await bench.replay("made") == 1
    await received.has(2)
    await emptied("made")
    assert received.ids == [message.id, message.id]
    assert await bench.dead("made") == []


async def test_a_replayed_dead_letter_has_all_its_retries_again(bench, emptied):
    received = RecordingConsumer(ContractError("before the mending"), RuntimeError("not now"), RuntimeError("not now"))
    await bench.broker.consume("made", received)
    await bench.broker.publish(make())
    await emptied("made")
    await bench.replay("made")
    await received.has(4)
    await emptied("made")
    assert await bench.dead("made") == []


async def test_a_queue_without_dead_letters_replays_none(bench):
    await bench.broker.publish(make())
    assert await bench.replay("made") == 0


async def test_draining_waits_for_the_handler_at_work(bench):
    holder = Holder()
    await bench.broker.consume("made", holder)
    message = make()
    await bench.broker.publish(message)
    await holder.reached.wait()
    draining = asyncio.create_task(bench.broker.drain())
    asyncio.get_running_loop().call_soon(holder.go_on.set)
    await draining
    assert holder.finished == [message.id]
    assert await bench.waiting("made") == 0


async def test_a_message_published_while_draining_waits_for_the_next_start(bench):
    holder = Holder()
    await bench.broker.consume("made", holder)
    await bench.broker.publish(make())
    await holder.reached.wait()
    draining = asyncio.create_task(bench.broker.drain())
    later = make()
    await bench.broker.publish(later)
    holder.go_on.set()
    await draining
    assert later.id not in holder.finished

    await bench.reopen()
    received = RecordingConsumer()
    await bench.broker.consume("made", received)
    await received.has(1)
    assert received.ids == [later.id]


async def test_a_message_survives_a_restart(bench):
    message = make()
    await bench.broker.publish(message)
    await bench.reopen()
    received = RecordingConsumer()
    await bench.broker.consume("north", received)
    await received.has(1)
    assert received.ids == [message.id]


async def test_a_retry_survives_a_restart(bench):
    failing = RecordingConsumer(RuntimeError("not now"))
    await bench.broker.consume("made", failing)
    await bench.broker.publish(make())
    await failing.has(1)
    await bench.reopen()
    received = RecordingConsumer()
    await bench.broker.consume("made", received)
    await received.has(1)
    assert received.ids == failing.ids


async def test_a_dead_letter_survives_a_restart(bench, emptied):
    await bench.broker.consume("made", RecordingConsumer(ContractError("no")))
    message = make()
    await bench.broker.publish(message)
    await emptied("made")
    await bench.reopen()
    assert await bench.dead("made") == [message.id]


async def test_a_broker_whose_consumers_are_served_is_alive(bench):
    received = RecordingConsumer()
    await bench.broker.consume("made", received)
    await bench.broker.publish(make())
    await received.has(1)
    assert bench.broker.alive()


async def test_a_drained_broker_delivers_nothing(bench):
    await bench.broker.consume("made", RecordingConsumer())
    await bench.broker.drain()
    assert not bench.broker.alive()


@pytest.mark.parametrize(
    ("pattern", "routing_key", "matches"),
    [
        ("thing-made.north", "thing-made.north", True),
        ("thing-made.north", "thing-made.south", False),
        ("thing-made.*", "thing-made.north", True),
        ("thing-made.*", "thing-made", False),
        ("thing-made.*", "thing-made.north.east", False),
        ("*.north", "thing-made.north", True),
        ("*.north", "north", False),
        ("#", "thing-made.north", True),
        ("#", "", True),
        ("*", "", False),
        ("thing-made.#", "thing-made", True),
        ("thing-made.#", "thing-made.north.east", True),
        ("#.north", "north", True),
        ("#.north", "thing-made.far.north", True),
        ("#.north.#", "a.north.b.c", True),
        ("#.north.#", "a.south.b.c", False),
        ("*.*", "a.b", True),
        ("thing-*.north", "thing-made.north", False),
    ],
)
def test_topic_patterns_match_whole_words(pattern, routing_key, matches):
    assert topic_matches(pattern, routing_key) is matches
