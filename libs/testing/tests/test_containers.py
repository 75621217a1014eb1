"""Each server in a container answers, keeps its port and its data through a crash, and can be frozen."""

import asyncio
import io
import os

import aio_pika
import asyncpg
import pytest
from minio import Minio
from redis import Redis

from desk.testing.container import _engine_trouble
from desk.testing.errors import NotInstalledError, NotReadyError
from desk.testing.postgres import docker_postgres
from desk.testing.rabbit import QUEUE_SETTLE_SECONDS, docker_rabbit
from desk.testing.redis import docker_redis
from desk.testing.s3 import docker_s3

WAYS = {"postgres": docker_postgres, "rabbit": docker_rabbit, "redis": docker_redis, "s3": docker_s3}


@pytest.fixture(params=WAYS)
def server(request, machine_environment):
    try:
        started = WAYS[request.param](machine_environment)
    except NotInstalledError as reason:
        pytest.skip(str(reason))
    with started:
        yield started


@pytest.fixture
def machine_environment():
    if trouble := _engine_trouble():
        pytest.skip(trouble)
    return os.environ


async def test_it_keeps_port_and_data_through_a_crash_and_can_be_frozen(server, request, monkeypatch):
    kind = request.node.callspec.params["server"]
    await KEEP[kind](server)
    if kind == "rabbit":
        await asyncio.sleep(QUEUE_SETTLE_SECONDS)

    await asyncio.to_thread(server.kill)
    await asyncio.to_thread(server.start)
    await FIND[kind](server)

    for module in ("postgres.CONNECT_SECONDS", "rabbit.ANSWER_SECONDS", "redis.ANSWER_SECONDS", "s3.ANSWER_SECONDS"):
        monkeypatch.setattr(f"desk.testing.{module}", 0.5)
    await asyncio.to_thread(server.pause)
    with pytest.raises(NotReadyError):
        await asyncio.to_thread(server.check)
    await asyncio.to_thread(server.resume)
    monkeypatch.undo()
    await asyncio.to_thread(server.wait_until_ready)

    await asyncio.to_thread(server.stop)
    await asyncio.to_thread(server.start)
    await FIND[kind](server)


async def keep_row(server):
    connection = await asyncpg.connect(server.dsn)
    await connection.execute("CREATE TABLE kept (word text); INSERT INTO kept VALUES ('سلام')")
    await connection.close()


async def find_row(server):
    connection = await asyncpg.connect(server.dsn)
    assert await connection.fetchval("SELECT word FROM kept") == "سلام"
    await connection.close()


async def keep_message(server):
    async with await aio_pika.connect(server.amqp_url) as connection:
        channel = await connection.channel(publisher_confirms=True)
        await channel.declare_queue("kept", durable=True, arguments={"x-queue-type": "quorum"})
        message = aio_pika.Message(b"kept", delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
        await channel.default_exchange.publish(message, "kept")


async def find_message(server):
    async with await aio_pika.connect(server.amqp_url) as connection:
        channel = await connection.channel()
        message = await (await channel.get_queue("kept")).get(timeout=10)
        assert message.body == b"kept"
        await message.nack(requeue=True)


async def keep_key(server):
    with Redis.from_url(server.url) as client:
        client.set("kept", "yes")


async def find_key(server):
    with Redis.from_url(server.url) as client:
        assert client.get("kept") == b"yes"


def s3_client(server):
    return Minio(server.endpoint, server.access_key, server.secret_key, region=server.region, secure=server.secure)


async def keep_object(server):
    client = s3_client(server)
    client.make_bucket("kept")
    client.put_object("kept", "پیوست", io.BytesIO(b"content"), 7)


async def find_object(server):
    with s3_client(server).get_object("kept", "پیوست") as answer:
        assert answer.read() == b"content"


KEEP = {"postgres": keep_row, "rabbit": keep_message, "redis": keep_key, "s3": keep_object}
FIND = {"postgres": find_row, "rabbit": find_message, "redis": find_key, "s3": find_object}
