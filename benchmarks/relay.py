"""The relay on real servers: how fast an outbox is emptied, and the time of an event from commit to its queue.

Servers are found as in the tests, PostgreSQL with fsync. Figures are of this machine and run.
"""

import argparse
import asyncio
import statistics
import time
import uuid
from datetime import UTC, datetime
from typing import ClassVar

import aio_pika
import uvloop

from desk.chassis.bus import QueueSpec, Relay, Topology
from desk.chassis.bus.rabbit import RabbitBroker
from desk.chassis.bus.rabbit.layout import Layout, rabbit_layout
from desk.chassis.event_encryption import EventEncryptor, new_event_key_pair
from desk.chassis.events import Event, Moment, Outbox
from desk.chassis.telemetry import Telemetry
from desk.database import Database, migrate
from desk.security.logs import configure_logging
from desk.testing.postgres import open_postgres
from desk.testing.rabbit import open_rabbit

LAYOUT = rabbit_layout(
    Topology(("desk.events",), (QueueSpec("measured", (("desk.events", "made.*"),)),)), retried=(), retry_delays=()
)


class Made(Event):
    """An event about as large as a request."""

    name: ClassVar[str] = "made"
    receivers: ClassVar[tuple[str, ...]] = ("tracking", "notifier", "here")

    at: Moment
    text: str = "متن درخواست " * 80


async def declare(url: str, layout: Layout) -> None:
    """Create the queue, as the deployment would."""
    async with await aio_pika.connect(url) as connection, connection.channel() as channel:
        for exchange in layout.exchanges:
            await channel.declare_exchange(exchange, aio_pika.ExchangeType.TOPIC, durable=True)
        for each in layout.queues:
            queue = await channel.declare_queue(each.name, durable=True, arguments=each.arguments)
            for binding in layout.bindings:
                if binding.queue == each.name:
                    await queue.bind(binding.exchange, binding.routing_key)


async def drain(database: Database, outbox: Outbox, relay: Relay, count: int) -> float:
    """Fill the outbox and empty it; return events per second."""
    for _ in range(count // 500):
        async with database.transaction() as session:
            for _ in range(500):
                await outbox.add(session, Made(at=datetime.now(UTC)), subject="1", key="here", seq=1)
    begun, sent = time.perf_counter(), 0
    while sent < count // 500 * 500:
        sent += await relay.send_batch()
    return sent / (time.perf_counter() - begun)


async def latency(
    database: Database, outbox: Outbox, relay: Relay, url: str, *, rate: int, seconds: int
) -> list[float]:
    """Commit ``rate`` events a second while the relay runs; return the sorted seconds from commit to queue."""
    committed: dict[str, float] = {}
    took: list[float] = []
    relaying = asyncio.create_task(relay.run())
    async with await aio_pika.connect(url) as connection, connection.channel() as channel:
        await channel.set_qos(prefetch_count=100)
        queue = await channel.get_queue("measured", ensure=False)
        await queue.purge()
        total = rate * seconds

        async def read() -> None:
            async with queue.iterator() as messages:
                async for message in messages:
                    arrived = time.perf_counter()
                    await message.ack()
                    if message.message_id in committed:
                        took.append(arrived - committed[message.message_id])
                    if len(took) >= total:
                        return

        reading = asyncio.create_task(read())
        begun = time.perf_counter()
        for number in range(total):
            async with database.transaction() as session:
                event_id = await outbox.add(session, Made(at=datetime.now(UTC)), subject="1", key="here", seq=1)
                committed[event_id] = time.perf_counter()
            committed[event_id] = time.perf_counter()
            await asyncio.sleep(max(0.0, begun + (number + 1) / rate - time.perf_counter()))
        await asyncio.wait_for(reading, 30)
    relay.finish()
    await relaying
    return sorted(took)


async def measure(postgres_url: str, amqp_url: str, count: int) -> None:
    """Run both measurements."""
    await migrate("desk.intake", postgres_url)
    await declare(amqp_url, LAYOUT)
    telemetry = Telemetry("bench")
    database, broker = Database(postgres_url), RabbitBroker(amqp_url, telemetry)
    outbox = Outbox("/desk/bench", EventEncryptor({name: new_event_key_pair()[1] for name in Made.receivers}))
    relay = Relay(database, outbox, broker, telemetry)
    database.after_commit.append(relay.wake)
    rates = [await drain(database, outbox, relay, count) for _ in range(3)]
    print(f"  drained: {statistics.median(rates):.0f} events/s ({min(rates):.0f} to {max(rates):.0f})")
    took = await latency(database, outbox, relay, amqp_url, rate=50, seconds=20)
    p50, p95 = took[len(took) // 2] * 1000, took[int(len(took) * 0.95)] * 1000
    print(f"  commit to queue at 50/s: p50 {p50:.0f} ms, p95 {p95:.0f} ms")
    await broker.close()
    await database.close()


def main() -> None:
    """Start the servers and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=5000, help="events per drain")
    options = parser.parse_args()
    configure_logging(level="ERROR")
    with open_postgres(settings={"fsync": "on", "full_page_writes": "on"}) as postgres, open_rabbit() as rabbit:
        print(f"relay: PostgreSQL {postgres.how}; RabbitMQ {rabbit.how}")
        url = postgres.create_database("relay", "relay", "bench-password-of-postgres")
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:  # as uvicorn runs the services
            runner.run(measure(url, rabbit.create_vhost(f"relay-{uuid.uuid4()}"), options.count))


if __name__ == "__main__":
    main()
