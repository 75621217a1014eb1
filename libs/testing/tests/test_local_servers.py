"""Each local server answers, keeps its data through a crash, and can be frozen."""

import asyncio
import io
import time
from collections.abc import Iterator

import aio_pika
import asyncpg
import psutil
import pytest
from minio import Minio
from redis import Redis

from desk.testing.errors import NotReadyError
from desk.testing.postgres import PostgresServer, local_postgres
from desk.testing.rabbit import QUEUE_SETTLE_SECONDS, RabbitServer, local_rabbit
from desk.testing.redis import RedisServer, local_redis
from desk.testing.s3 import S3Server, local_minio, local_moto
from desk.testing.server import Server


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresServer]:
    with local_postgres() as server:
        yield server


@pytest.fixture(scope="module")
def rabbit() -> Iterator[RabbitServer]:
    with local_rabbit() as server:
        yield server


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    with local_redis() as server:
        yield server


@pytest.fixture(scope="module")
def minio() -> Iterator[S3Server]:
    with local_minio() as server:
        yield server


@pytest.fixture(scope="module")
def moto() -> Iterator[S3Server]:
    with local_moto() as server:
        yield server


@pytest.fixture(params=["postgres", "rabbit", "redis", "minio", "moto"])
def server(request) -> Server:
    return request.getfixturevalue(request.param)


async def test_a_database_is_for_its_role_alone_and_survives_a_crash(postgres):
    url = postgres.create_database("desk_one", "one", 'it\'s "secret"/@')
    postgres.create_database("desk_two", "two", "secret")
    dsn = url.replace("+asyncpg", "")
    connection = await asyncpg.connect(dsn)
    await connection.execute("CREATE TABLE kept (word text); INSERT INTO kept VALUES ('سلام')")
    connection.terminate()

    postgres.kill()
    postgres.start()

    connection = await asyncpg.connect(dsn)
    assert await connection.fetchval("SELECT word FROM kept") == "سلام"
    await connection.close()
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await asyncpg.connect(dsn.replace("/desk_one", "/desk_two"))
    postgres.drop_database("desk_one")
    with pytest.raises(asyncpg.InvalidCatalogNameError):
        await asyncpg.connect(dsn)


async def test_a_persistent_message_in_a_quorum_queue_survives_a_crash(rabbit):
    url = rabbit.create_vhost("desk/one")
    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel(publisher_confirms=True)
        await channel.declare_queue("kept", durable=True, arguments={"x-queue-type": "quorum"})
        message = aio_pika.Message(b"kept", delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
        await channel.default_exchange.publish(message, "kept")
    await asyncio.sleep(QUEUE_SETTLE_SECONDS)

    rabbit.kill()
    rabbit.start()

    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel()
        queue = await channel.get_queue("kept")
        assert (await queue.get(timeout=10)).body == b"kept"
    rabbit.delete_vhost("desk/one")


def test_a_key_survives_a_crash(redis):
    with Redis.from_url(redis.url) as client:
        client.set("kept", "yes")

    redis.kill()
    redis.start()

    with Redis.from_url(redis.url) as client:
        assert client.get("kept") == b"yes"


@pytest.mark.parametrize("name", ["minio", "moto"])
def test_an_object_survives_a_crash_except_on_moto(name, request):
    s3 = request.getfixturevalue(name)
    client = Minio(s3.endpoint, s3.access_key, s3.secret_key, region=s3.region, secure=s3.secure)
    client.make_bucket("kept")
    client.put_object("kept", "پیوست", io.BytesIO(b"content"), 7)

    s3.kill()
    s3.start()

    assert client.bucket_exists("kept") is s3.keeps_objects
    if s3.keeps_objects:
        with client.get_object("kept", "پیوست") as answer:
            assert answer.read() == b"content"


def test_a_server_says_how_it_was_obtained(server):
    assert server.how.startswith(("local binary", "moto"))
    assert any(digit.isdigit() for digit in server.how)


def test_a_paused_server_hangs_and_goes_on_afterwards(server, monkeypatch):
    for module in ("postgres.CONNECT_SECONDS", "rabbit.ANSWER_SECONDS", "redis.ANSWER_SECONDS", "s3.ANSWER_SECONDS"):
        monkeypatch.setattr(f"desk.testing.{module}", 0.3)
    server.pause()
    started = time.monotonic()
    with pytest.raises(NotReadyError):
        server.check()
    assert time.monotonic() - started >= 0.3

    server.resume()
    monkeypatch.undo()
    server.wait_until_ready()


def test_a_stopped_server_starts_again_on_its_port(server):
    before = server.pid
    server.stop()
    with pytest.raises(NotReadyError):
        server.check()

    server.start()

    assert server.pid != before


def test_a_closed_server_leaves_neither_processes_nor_files(rabbit):
    folder = rabbit.machine.folder
    children = psutil.Process().children(recursive=True)
    ours = [process for process in children if process.cwd() == str(folder)]
    assert {"beam.smp", "epmd"} <= {process.name() for process in ours}

    rabbit.close()

    assert not folder.exists()
    assert not [process for process in ours if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]
