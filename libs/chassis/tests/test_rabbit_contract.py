"""RabbitMQ keeps the contract every broker keeps: the same tests as for the embedded one, on another bench."""

import importlib.util
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from types import ModuleType

import aio_pika
import pytest
from aio_pika.abc import AbstractChannel

from desk.chassis.bus import Consumer
from desk.chassis.bus.rabbit import RabbitBroker
from desk.chassis.bus.rabbit.layout import RETRY_EXCHANGE, Layout, dead_queue, rabbit_layout, replay_key
from desk.chassis.events import Message
from desk.chassis.telemetry import Telemetry


def _contract() -> ModuleType:
    path = Path(__file__).with_name("test_broker_contract.py")
    spec = importlib.util.spec_from_file_location("broker_contract", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


CONTRACT = _contract()
NEEDS_A_BROKER = {
    name: test for name, test in vars(CONTRACT).items() if name.startswith("test_") and "topic_patt" not in name
}
globals().update(NEEDS_A_BROKER)
emptied = CONTRACT.emptied

LAYOUT = rabbit_layout(
    CONTRACT.TOPOLOGY,
    retried=[queue.name for queue in CONTRACT.TOPOLOGY.queues],
    retry_delays=CONTRACT.RETRY_DELAYS,
)


async def declare(channel: AbstractChannel, layout: Layout) -> None:
    for name in layout.exchanges:
        await channel.declare_exchange(name, aio_pika.ExchangeType.TOPIC, durable=True)
    queues = {
        each.name: await channel.declare_queue(each.name, durable=True, arguments=each.arguments)
        for each in layout.queues
    }
    for binding in layout.bindings:
        await queues[binding.queue].bind(binding.exchange, binding.routing_key)


class CountingBroker(RabbitBroker):
    """Keeps count of what went into each queue and what came of it; ``counts`` outlives it."""

    counts: Counter[str]

    async def publish(self, message: Message) -> None:
        await super().publish(message)
        self.counts.update(CONTRACT.TOPOLOGY.route(message.exchange, message.routing_key))

    async def consume(self, queue: str, consumer: Consumer) -> None:
        async def counted(message: Message) -> None:
            await consumer(message)
            self.counts[queue] -= 1

        await super().consume(queue, counted)


class RabbitBench:
    def __init__(self, url: str) -> None:
        self._url = url
        self._counts: Counter[str] = Counter()
        self.broker = self._new()

    def _new(self) -> CountingBroker:
        self._telemetry = Telemetry("maker")
        broker = CountingBroker(self._url, self._telemetry, retry_delays=CONTRACT.RETRY_DELAYS)
        broker.counts = self._counts
        return broker

    async def open(self) -> None:
        self._connection = await aio_pika.connect(self._url)
        self._channel = await self._connection.channel()
        await declare(self._channel, LAYOUT)

    async def reopen(self) -> None:
        await self.broker.close()
        self.broker = self._new()

    async def close(self) -> None:
        await self.broker.close()
        await self._connection.close()

    async def waiting(self, queue: str) -> int:
        """Count by what is known of each message: the broker itself counts none of those between two queues."""
        died = self._telemetry.registry.get_sample_value("desk_dead_letters_total", {"queue": queue}) or 0
        ready = (await self._channel.declare_queue(queue, passive=True)).declaration_result.message_count
        return max(ready, self._counts[queue] - int(died))

    async def dead(self, queue: str) -> list[str]:
        ids = []
        async with self._connection.channel() as channel:
            dead = await channel.get_queue(dead_queue(queue))
            while (incoming := await dead.get(fail=False)) is not None:
                ids.append(incoming.message_id)
        return ids

    async def replay(self, queue: str) -> int:
        dead = await self._channel.get_queue(dead_queue(queue))
        retry = await self._channel.get_exchange(RETRY_EXCHANGE)
        count = 0
        while (incoming := await dead.get(fail=False)) is not None:
            incoming.headers.pop("desk-tries")
            await retry.publish(incoming, replay_key(queue))
            await incoming.ack()
            self._counts[queue] += 1
            count += 1
        return count


@pytest.fixture
async def bench(rabbit_vhost: str) -> AsyncIterator[RabbitBench]:
    bench = RabbitBench(rabbit_vhost)
    await bench.open()
    yield bench
    await bench.close()


@pytest.fixture
def rabbit_vhost(rabbit_server, request) -> Iterator[str]:
    name = f"contract-{abs(hash(request.node.name)):x}"
    yield rabbit_server.create_vhost(name)
    rabbit_server.delete_vhost(name)
