"""What only RabbitMQ has to show: confirms, permissions of the wire, and living with a broker that fails."""

import asyncio
import json
import os
import struct
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import aio_pika
import httpx
import pamqp.encode
import pytest

from desk.chassis.bus import BrokerUnavailableError, ContractError, QueueSpec, Topology, UnroutableError
from desk.chassis.bus.rabbit import RabbitBroker, consumer, layout, publisher
from desk.chassis.bus.rabbit.layout import Layout, QueueLayout, dead_queue, rabbit_layout
from desk.chassis.events import Message
from desk.chassis.telemetry import Telemetry
from desk.testing.rabbit import QUEUE_SETTLE_SECONDS, RabbitServer, open_rabbit

DELAYS = (timedelta(seconds=0.1), timedelta(seconds=0.2))
TOPOLOGY = Topology(("desk.events",), (QueueSpec("made", (("desk.events", "thing-made.*"),)),))
LAYOUT = rabbit_layout(TOPOLOGY, retried=["made"], retry_delays=DELAYS)
SECRET = "زهرا رضایی".encode()


def message(
    event_id: str | None = None, *, key: str = "thing-made.north", exchange: str = "desk.events", body: bytes = b"{}"
):
    return Message(event_id or str(uuid.uuid4()), exchange, key, "ir.haj.desk.thing-made.v1", body)


async def declare(url: str, layout: Layout = LAYOUT) -> None:
    async with await aio_pika.connect(url) as connection, connection.channel() as channel:
        for name in layout.exchanges:
            await channel.declare_exchange(name, aio_pika.ExchangeType.TOPIC, durable=True)
        for each in layout.queues:
            queue = await channel.declare_queue(each.name, durable=True, arguments=each.arguments)
            for binding in layout.bindings:
                if binding.queue == each.name:
                    await queue.bind(binding.exchange, binding.routing_key)


@pytest.fixture
def vhost(rabbit_server) -> Iterator[str]:
    name = f"rabbit-{uuid.uuid4()}"
    yield rabbit_server.create_vhost(name)
    where = f"{rabbit_server.management_url}/api/vhosts/{name}"
    httpx.delete(where, auth=(rabbit_server.user, rabbit_server.password), timeout=60)  # slow after a crash


@pytest.fixture
async def url(vhost) -> str:
    await declare(vhost)
    return vhost


@pytest.fixture
def telemetry() -> Telemetry:
    return Telemetry("maker")


@pytest.fixture
async def broker(url, telemetry):
    broker = RabbitBroker(url, telemetry, retry_delays=DELAYS)
    yield broker
    await broker.close()


@pytest.fixture
def short_timeouts(monkeypatch):
    """Check consumers and time out publishes sooner than in production."""
    monkeypatch.setattr(consumer, "CHECK_SECONDS", 0.2)
    monkeypatch.setattr(consumer, "ANSWER_SECONDS", 0.5)
    monkeypatch.setattr(publisher, "PUBLISH_SECONDS", 1.0)


class RecordingConsumer:
    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.taken: list[Message] = []
        self.at_work = self.most_at_work = 0
        self.seconds = 0.01

    async def __call__(self, taken: Message) -> None:
        self.taken.append(taken)
        self.at_work += 1
        self.most_at_work = max(self.most_at_work, self.at_work)
        await asyncio.sleep(self.seconds)
        self.at_work -= 1
        if self.errors:
            raise self.errors.pop(0)

    @property
    def ids(self) -> list[str]:
        return [each.id for each in self.taken]


async def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - the condition has no event
            await asyncio.sleep(0.02)


async def until_count(channel: aio_pika.abc.AbstractChannel, queue: str, wanted: int) -> None:
    """Wait until a queue has so many messages."""
    async with asyncio.timeout(60):
        while (await channel.declare_queue(queue, passive=True)).declaration_result.message_count != wanted:  # noqa: ASYNC110 - a queue has no event
            await asyncio.sleep(0.1)


async def get(url: str, queue: str) -> aio_pika.abc.AbstractIncomingMessage | None:
    async with await aio_pika.connect(url) as connection, connection.channel() as channel:
        for _ in range(100):
            incoming = await (await channel.get_queue(queue)).get(no_ack=True, fail=False)
            if incoming is not None:
                return incoming
            await asyncio.sleep(0.05)
    return None


async def published_raw(url: str, body: bytes = b"{}", **properties) -> None:
    async with await aio_pika.connect(url) as connection, connection.channel() as channel:
        exchange = await channel.get_exchange("desk.events")
        await exchange.publish(aio_pika.Message(body, **properties), "thing-made.north")


def value(telemetry: Telemetry, name: str, **labels: str) -> float:
    return telemetry.registry.get_sample_value(name, labels) or 0


async def test_an_event_on_the_wire_is_persistent_and_has_its_properties(broker, url):
    await broker.publish(message("e-1"))
    incoming = await get(url, "made")
    assert (incoming.delivery_mode, incoming.message_id, incoming.type, incoming.content_type, incoming.user_id) == (
        aio_pika.DeliveryMode.PERSISTENT,
        "e-1",
        "ir.haj.desk.thing-made.v1",
        "application/cloudevents+json",
        urlsplit(url).username,
    )
    assert abs(incoming.timestamp - datetime.now(UTC)) < timedelta(minutes=1)


async def test_the_same_unroutable_event_twice_at_once_is_never_confirmed(broker):
    nowhere = message(key="thing-lost.north")
    outcomes = await asyncio.gather(*(broker.publish(nowhere) for _ in range(10)), return_exceptions=True)
    assert [type(each) for each in outcomes] == [UnroutableError] * 10


async def test_an_unroutable_event_is_distinguished_from_others_in_flight(broker):
    events = [message(key="thing-lost.north" if n % 3 == 0 else "thing-made.north") for n in range(60)]
    outcomes = await asyncio.gather(*map(broker.publish, events), return_exceptions=True)
    assert [type(each) for each in outcomes] == [UnroutableError if n % 3 == 0 else type(None) for n in range(60)]


async def test_an_event_that_the_broker_refuses_fails_alone(broker):
    events = [message(exchange="desk.nowhere" if n == 5 else "desk.events") for n in range(20)]
    outcomes = await asyncio.gather(*map(broker.publish, events), return_exceptions=True)
    assert [n for n, outcome in enumerate(outcomes) if outcome is not None] == [5]
    assert isinstance(outcomes[5], BrokerUnavailableError)


async def test_an_event_for_a_full_queue_is_not_confirmed(url, broker):
    full = QueueLayout("full", {"x-queue-type": "quorum", "x-overflow": "reject-publish", "x-max-length": 1})
    async with await aio_pika.connect(url) as connection, connection.channel() as channel:
        queue = await channel.declare_queue(full.name, durable=True, arguments=full.arguments)
        await queue.bind("desk.events", "thing-full.*")
        with pytest.raises(BrokerUnavailableError, match="full"):
            await publish_many(broker, "thing-full.north")


async def publish_many(broker: RabbitBroker, key: str) -> None:
    for _ in range(50):  # a quorum queue learns of its length a little late
        await broker.publish(message(key=key))


async def test_an_event_carries_its_user_and_its_handler_receives_it(broker, url):
    received = RecordingConsumer(RuntimeError("not now"))
    await broker.consume("made", received)
    await broker.publish(message())
    await until(lambda: len(received.taken) == 2)
    assert [each.sender for each in received.taken] == [urlsplit(url).username] * 2, "after a retry as before it"
    assert {(each.exchange, each.routing_key) for each in received.taken} == {("desk.events", "thing-made.north")}


async def test_headers_that_look_like_ours_are_not_trusted(broker, url):
    received = RecordingConsumer()
    await broker.consume("made", received)
    forged = {"desk-exchange": "desk.cases", "desk-routing-key": "case-answered.qom", "desk-sender": "province.qom"}
    await published_raw(url, headers=forged | {"desk-tries": 99}, message_id="e-1")
    await until(lambda: bool(received.taken))
    assert (received.taken[0].exchange, received.taken[0].routing_key, received.taken[0].sender) == (
        "desk.events",
        "thing-made.north",
        None,
    )


async def test_retries_and_dead_letters_are_counted_and_have_a_reason(broker, url, telemetry):
    received = RecordingConsumer(*(RuntimeError("personal") for _ in range(3)))
    await broker.consume("made", received)
    await broker.publish(message("e-1"))
    await until(lambda: value(telemetry, "desk_dead_letters_total", queue="made") == 1)
    assert value(telemetry, "desk_event_retries_total", queue="made") == 2
    dead = await get(url, dead_queue("made"))
    assert dead.message_id == "e-1"
    assert dead.headers["desk-died-of"] == "RuntimeError"
    assert dead.headers["desk-tries"] == 2


async def test_a_dead_letter_expires_after_its_term(vhost, telemetry, monkeypatch):
    monkeypatch.setattr(layout, "DEAD_LETTER_TERM", timedelta(seconds=2))
    await declare(vhost, rabbit_layout(TOPOLOGY, retried=["made"], retry_delays=DELAYS))
    broker = RabbitBroker(vhost, telemetry)
    await broker.consume("made", RecordingConsumer(ContractError("never")))
    await broker.publish(message("e-1"))
    async with await aio_pika.connect(vhost) as connection, connection.channel() as channel:
        for wanted in (1, 0):
            await until_count(channel, dead_queue("made"), wanted)
    await broker.close()


async def test_a_huge_body_is_dead_lettered_unread(broker, url, telemetry):
    received = RecordingConsumer()
    await broker.consume("made", received)
    await published_raw(url, bytes(10 * 1024 * 1024), message_id="e-1")
    await broker.publish(message("e-2"))
    await until(lambda: received.ids == ["e-2"])
    assert len((await get(url, dead_queue("made"))).body) == 10 * 1024 * 1024
    assert value(telemetry, "desk_dead_letters_total", queue="made") == 1


async def test_an_event_without_any_property_reaches_its_handler(broker, url):
    received = RecordingConsumer(ContractError("no id"))
    await broker.consume("made", received)
    await published_raw(url, b"\xff")
    assert (await get(url, dead_queue("made"))).headers["desk-died-of"] == "no id"
    assert (len(received.taken[0].id), received.taken[0].type, received.taken[0].sender) == (32, "", None)


async def test_a_message_that_closes_the_connection_is_soon_dead_lettered_alone(vhost, telemetry, monkeypatch):
    # A timestamp far beyond the calendar passes the broker and breaks the driver.
    limited = tuple(
        replace(queue, arguments=queue.arguments | {"x-delivery-limit": 3}) if queue.name == "made" else queue
        for queue in LAYOUT.queues
    )
    await declare(vhost, replace(LAYOUT, queues=limited))
    with monkeypatch.context() as patched:
        patched.setitem(pamqp.encode.METHODS, "timestamp", lambda _: struct.pack(">Q", 2**63 - 1))
        patched.setattr(pamqp.encode, "timestamp", lambda _: struct.pack(">Q", 2**63 - 1))
        for event_id in ("e-1", "e-2"):
            await published_raw(vhost, message_id=event_id)
        await published_raw(vhost, message_id="killer", timestamp=datetime.now(UTC))
    for event_id in ("e-3", "e-4"):
        await published_raw(vhost, message_id=event_id)
    broker, received = RabbitBroker(vhost, telemetry, retry_delays=DELAYS), RecordingConsumer()
    await broker.consume("made", received)
    await until(lambda: {"e-1", "e-2", "e-3", "e-4"} <= set(received.ids), 30)
    assert "killer" not in received.ids
    await until(broker.alive)
    await broker.close()
    async with await aio_pika.connect(vhost) as connection, connection.channel() as channel:
        assert (await channel.get_queue(dead_queue("made"))).declaration_result.message_count == 1


async def test_at_most_ten_handlers_are_at_work(broker, url, short_timeouts):
    received = RecordingConsumer()
    received.seconds = 0.05  # so that the queue is not empty before more than one is let in
    for _ in range(100):
        await broker.publish(message())
    await broker.consume("made", received)
    await until(lambda: len(received.taken) == 100)
    assert 1 < received.most_at_work <= 10


async def test_a_message_that_can_be_neither_retried_nor_dead_lettered_is_kept_and_logged(broker, url, telemetry):
    received = RecordingConsumer(RuntimeError("not now"))
    async with await aio_pika.connect(url) as connection, connection.channel() as channel:
        await channel.exchange_delete("desk.delay")
        await broker.consume("made", received)
        await broker.publish(message("e-1"))
        await until(lambda: bool(received.taken) and not broker.alive())
    await declare(url)
    await until(lambda: received.ids == ["e-1", "e-1"] and broker.alive())


async def test_an_event_that_is_stuck_at_shutdown_stays_in_its_queue(broker, url):
    received = RecordingConsumer(RuntimeError("not now"))
    async with await aio_pika.connect(url) as connection, connection.channel() as channel:
        await channel.exchange_delete("desk.delay")
    await broker.consume("made", received)
    await broker.publish(message("e-1"))
    await until(lambda: bool(received.taken) and not broker.alive())
    await broker.close()
    assert (await get(url, "made")).message_id == "e-1"


async def test_a_deleted_queue_is_logged_once_and_consumed_again_when_it_is_back(broker, url, logged, short_timeouts):
    received = RecordingConsumer()
    await broker.consume("made", received)
    await until(broker.alive)
    async with await aio_pika.connect(url) as connection, connection.channel() as channel:
        await channel.queue_delete("made")
        await until(lambda: not broker.alive())
        await until(lambda: broker._consumers[0]._outage._failures >= 3)
    logged_lines = [json.loads(line) for line in logged().splitlines() if "unavailable, will retry" in line]
    assert [line["reason"].partition(" in vhost")[0] for line in logged_lines] == ["NOT_FOUND - no queue 'made'"]
    await declare(url)
    await until(broker.alive)
    await broker.publish(message("e-1"))
    await until(lambda: received.ids == ["e-1"])


async def test_wrong_credentials_are_logged_once_and_retried(url, telemetry, rabbit_server, logged):
    vhost = urlsplit(url).path[1:]
    user, auth = f"late-{uuid.uuid4()}", (rabbit_server.user, rabbit_server.password)
    parts = urlsplit(url)
    late = parts._replace(netloc=f"{user}:secret-of-late@{parts.hostname}:{parts.port}").geturl()
    broker, received = RabbitBroker(late, telemetry), RecordingConsumer()
    await broker.consume("made", received)
    for _ in range(3):
        with pytest.raises(BrokerUnavailableError):
            await broker.publish(message())
        await until(lambda: time.monotonic() >= broker._publisher._outage._until)
    assert not broker.alive()
    lines = [json.loads(line) for line in logged().splitlines()]
    assert sorted(line["what"] for line in lines if line["level"] in {"error", "warning"}) == [
        "broker for publishing",
        "queue made",
    ]
    assert all("ACCESS_REFUSED" in line["reason"] for line in lines)
    assert "secret-of-late" not in logged()

    async with httpx.AsyncClient(base_url=rabbit_server.management_url, auth=auth) as api:
        await api.put(f"/api/users/{user}", json={"password": "secret-of-late", "tags": ""})
        await api.put(f"/api/permissions/{vhost}/{user}", json={"configure": "^$", "write": ".*", "read": "^made$"})
        await until(broker.alive)
        await broker.close()
        await api.delete(f"/api/users/{user}")


async def test_bodies_and_passwords_are_never_logged(broker, url, logged, rabbit_server):
    received = RecordingConsumer(
        ContractError("no"), RuntimeError("not now"), RuntimeError("not now"), RuntimeError("not now")
    )
    await broker.consume("made", received)
    await broker.publish(message(body=SECRET))
    await broker.publish(message(body=SECRET))
    with pytest.raises(UnroutableError):
        await broker.publish(message(key="thing-lost.north", body=SECRET))
    await until(lambda: len(received.taken) == 4)
    await published_raw(url, SECRET * 100_000)
    await broker.close()
    assert SECRET.decode() not in logged()
    assert repr(SECRET)[2:-1] not in logged()
    assert urlsplit(url).password not in logged()


@pytest.fixture
def own_server(rabbit_server):
    if not rabbit_server.ours:
        pytest.skip("the server was given by its address, and is not ours to stop")
    return rabbit_server


async def test_a_frozen_broker_times_out_publishes_and_consumers(broker, own_server, short_timeouts, monkeypatch):
    await broker.consume("made", RecordingConsumer())
    await broker.publish(message())
    await until(broker.alive)
    own_server.pause()
    try:
        begun = asyncio.get_running_loop().time()
        with pytest.raises(BrokerUnavailableError, match="timed out"):
            await broker.publish(message())
        assert asyncio.get_running_loop().time() - begun < 2
        await until(lambda: not broker.alive())
    finally:
        own_server.resume()
    await until(broker.alive, 15)
    await eventually_published(broker, message())


async def test_a_broker_short_of_memory_confirms_once_it_has_memory_again(broker, own_server, short_timeouts):
    received = RecordingConsumer()
    await broker.consume("made", received)
    await broker.publish(message("e-1"))
    await until(lambda: received.ids == ["e-1"])
    await asyncio.to_thread(control, own_server, "set_vm_memory_high_watermark", "0")
    try:
        with pytest.raises(BrokerUnavailableError, match="timed out"):
            await broker.publish(message("e-2"))
        assert broker.alive(), "who only reads is not blocked"
    finally:
        await asyncio.to_thread(control, own_server, "set_vm_memory_high_watermark", "0.4")
    await eventually_published(broker, message("e-3"))
    await until(lambda: "e-3" in received.ids)


@pytest.fixture
def crashing_server() -> Iterator[RabbitServer]:
    """A server of its own: other tests do not use a broker that was killed."""
    with open_rabbit() as server:
        if not server.ours:
            pytest.skip("the server was given by its address, and is not ours to kill")
        yield server


async def test_after_a_broker_crash_consumers_are_back_within_15_seconds_and_nothing_is_lost(
    crashing_server, telemetry
):
    received, before, after = RecordingConsumer(), message(), message()
    url = crashing_server.create_vhost("crash")
    await declare(url)
    broker = RabbitBroker(url, telemetry, retry_delays=DELAYS)
    await broker.publish(before)
    await asyncio.sleep(QUEUE_SETTLE_SECONDS)
    await asyncio.to_thread(crashing_server.kill)
    with pytest.raises(BrokerUnavailableError):
        await broker.publish(after)
    await broker.consume("made", received)
    await asyncio.to_thread(crashing_server.start)
    await until(broker.alive, 15)
    with pytest.raises(UnroutableError):
        await eventually_published(broker, message(key="thing-lost.north"))
    await eventually_published(broker, after)
    await until(lambda: set(received.ids) == {before.id, after.id})
    assert value(telemetry, "desk_broker_connects_total", link="publish") == 2
    await broker.close()


async def eventually_published(broker: RabbitBroker, event: Message) -> None:
    for _ in range(40):
        try:
            return await broker.publish(event)
        except BrokerUnavailableError:
            await asyncio.sleep(0.5)
    raise AssertionError("not published within 20 seconds")


def control(server, *words: str) -> None:
    environment = getattr(server.machine, "_environment", None)
    if environment is None:
        pytest.skip("rabbitmqctl reaches only a broker that runs as a process of ours")
    command = ["/usr/lib/rabbitmq/bin/rabbitmqctl", "-n", environment["RABBITMQ_NODENAME"], *words]
    subprocess.run(command, env=os.environ | environment, check=True, capture_output=True, timeout=60)  # noqa: S603 - our own words
