"""The relay on PostgreSQL and RabbitMQ: how fast an outbox is emptied, and what an event costs."""

import asyncio
import statistics
import time
import uuid
from datetime import UTC, datetime
from typing import ClassVar

import aio_pika
import uvloop
from benchmarks.figures import Figure, Operation, Part
from benchmarks.meter import MS, Meter
from benchmarks.servers import Servers

from desk.chassis.bus import QueueSpec, Relay, Topology
from desk.chassis.bus.rabbit import RabbitBroker
from desk.chassis.bus.rabbit.layout import Layout, rabbit_layout
from desk.chassis.event_encryption import EventEncryptor, new_event_key_pair
from desk.chassis.events import Event, Outbox
from desk.chassis.moments import Moment
from desk.chassis.telemetry import Telemetry
from desk.database import Database, migrate

LAYOUT = rabbit_layout(
    Topology(("desk.events",), (QueueSpec("measured", (("desk.events", "made.*"),)),)), retried=(), retry_delays=()
)
TRANSACTION = 500
ROUNDS = 3
SHOWN = ("relay", "postgres", "rabbitmq")


class Made(Event):
    """An event about as large as a request."""

    name: ClassVar[str] = "made"
    receivers: ClassVar[tuple[str, ...]] = ("tracking", "notifier", "here")

    at: Moment
    text: str = "متن درخواست " * 80


def relay(servers: Servers, count: int) -> Part:
    """Empty an outbox of ``count`` events, several times."""
    name = f"bench-relay-{uuid.uuid4().hex[:8]}"
    url = servers.postgres.create_database(name, name, uuid.uuid4().hex)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:  # as uvicorn runs the services
            return runner.run(_measure(url, servers.rabbit.create_vhost(name), Meter(servers.pids), count))
    finally:
        servers.rabbit.delete_vhost(name)
        servers.postgres.drop_database(name)


async def _measure(postgres_url: str, amqp_url: str, meter: Meter, count: int) -> Part:
    await migrate("desk.intake", postgres_url)
    await _declare(amqp_url, LAYOUT)
    telemetry = Telemetry("bench")
    database, broker = Database(postgres_url), RabbitBroker(amqp_url, telemetry)
    outbox = Outbox("/desk/bench", EventEncryptor({name: new_event_key_pair()[1] for name in Made.receivers}))
    sender = Relay(database, outbox, broker, telemetry)
    await _fill(database, outbox, count)
    await _drain(sender, count)  # warms up
    rates, costs, batches = [], dict[str, float](), 0
    for _ in range(ROUNDS):
        await _fill(database, outbox, count)
        began, spent = time.perf_counter(), time.process_time()
        with meter.measured(count, costs):
            batches = await _drain(sender, count)
        rates.append(count / (time.perf_counter() - began))
        costs["relay"] = (time.process_time() - spent) * MS / count
    await broker.close()
    await database.close()
    return Part(
        "Relay, an outbox with a backlog",
        operations=[Operation("relayed event", {name: costs[name] for name in SHOWN}, charted=False)],
        figures=[
            Figure("events published and confirmed", statistics.median(rates), "per second"),
            Figure("events in a batch", count / batches, "events"),
            Figure("an event, the relay's process", costs["relay"], "CPU-ms"),
        ],
    )


async def _declare(url: str, layout: Layout) -> None:
    """Create the queue, as the deployment would."""
    async with await aio_pika.connect(url) as connection, connection.channel() as channel:
        for exchange in layout.exchanges:
            await channel.declare_exchange(exchange, aio_pika.ExchangeType.TOPIC, durable=True)
        for each in layout.queues:
            queue = await channel.declare_queue(each.name, durable=True, arguments=dict(each.arguments))
            for binding in layout.bindings:
                if binding.queue == each.name:
                    await queue.bind(binding.exchange, binding.routing_key)


async def _fill(database: Database, outbox: Outbox, count: int) -> None:
    for _ in range(count // TRANSACTION):
        async with database.transaction() as session:
            for _ in range(TRANSACTION):
                await outbox.add(session, Made(at=datetime.now(UTC)), subject="1", key="here", seq=1)


async def _drain(sender: Relay, count: int) -> int:
    """Empty the outbox; return the number of batches."""
    sent, batches = 0, 0
    while sent < count // TRANSACTION * TRANSACTION:
        sent += await sender.send_batch()
        batches += 1
    return batches
