"""Each service may do what it needs and no more: its role in the database, and its user of Redis."""

import asyncio
import os
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest
from redis import Redis
from redis.exceptions import NoPermissionError, RedisError
from support.embedded_desk import wait_for
from support.real_desk import WITH_DATABASE, RealDesk

from desk.chassis.rate_limits import RateLimits
from desk.testing.ports import free_port

ROOT = Path(__file__).parents[2]
USERS = ("captcha", "registry_gateway", "intake", "tracking", "notifier")
NAMESPACES = {"captcha": "captcha:", "registry_gateway": "registry:"} | {
    name: f"{name}:" for name in ("intake", "tracking", "notifier")
}
FORBIDDEN = (
    "CREATE TABLE mine (a int)",
    "DROP TABLE data_key",
    "ALTER TABLE inbox ADD COLUMN a int",
    "TRUNCATE inbox",
    "CREATE ROLE mine",
    "COPY inbox TO PROGRAM 'cat'",
)


async def run_statement(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url.replace("+asyncpg", ""), timeout=10)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@pytest.mark.parametrize("service", WITH_DATABASE)
@pytest.mark.parametrize("statement", FORBIDDEN)
def test_the_role_that_serves_reads_and_writes_rows_only(real_desk: RealDesk, service: str, statement: str):
    table = "inbox" if service != "registry-gateway" else "lookup"
    with pytest.raises(asyncpg.PostgresError):
        asyncio.run(run_statement(real_desk.serving[service], statement.replace("inbox", table)))


@pytest.mark.parametrize("service", WITH_DATABASE)
def test_a_role_reaches_no_other_database(real_desk: RealDesk, service: str):
    other = next(name for name in WITH_DATABASE if name != service)
    url = urlsplit(real_desk.serving[service])._replace(path=urlsplit(real_desk.serving[other]).path).geturl()
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        asyncio.run(run_statement(url, "SELECT 1"))


@pytest.fixture(scope="module")
def redis_of(tmp_path_factory):
    """A Redis started as in Compose; return the client of a user."""
    folder, port = tmp_path_factory.mktemp("redis"), free_port()
    passwords = {user: f"a-password-of-{user}-4711" for user in (*USERS, "default")}
    environment = os.environ | {f"{user.upper()}_REDIS_PASSWORD": passwords[user] for user in USERS}
    environment |= {
        "REDIS_PASSWORD": passwords["default"],
        "REDIS_ACL_FOLDER": str(folder),
        "REDIS_ACL_TEMPLATE": str(ROOT / "deploy/redis/users.acl"),
        "REDIS_DATA": str(folder),
        "REDIS_BIND": "127.0.0.1",
        "REDIS_PORT": str(port),
    }
    script = str(ROOT / "deploy/redis/start.sh")
    with subprocess.Popen(["sh", script], env=environment, stdout=subprocess.DEVNULL) as server:  # noqa: S603, S607

        def url(user):
            return f"redis://{user}:{passwords[user]}@127.0.0.1:{port}/1"

        def answers():
            try:
                with Redis.from_url(url("default")) as client:
                    return client.ping()
            except RedisError:
                return False

        wait_for(answers, 30)
        yield url
        server.terminate()


@pytest.mark.parametrize("user", USERS)
def test_a_user_of_redis_sees_its_own_keys_only(redis_of, user):
    with Redis.from_url(redis_of(user), decode_responses=True) as client:
        client.set(f"{NAMESPACES[user]}a", "1")
        assert client.get(f"{NAMESPACES[user]}a") == "1"
        for other in USERS:
            if other != user:
                with pytest.raises(NoPermissionError):
                    client.get(f"{NAMESPACES[other]}a")


@pytest.mark.parametrize("user", USERS)
@pytest.mark.parametrize(
    "command", ["CONFIG GET *", "FLUSHALL", "KEYS *", "ACL LIST", "SCAN 0", "RANDOMKEY", "FUNCTION FLUSH"]
)
def test_a_user_of_redis_may_not_administer_it(redis_of, user, command):
    with Redis.from_url(redis_of(user)) as client, pytest.raises(NoPermissionError):
        client.execute_command(*command.split())


@pytest.mark.parametrize("user", ["registry_gateway", "intake", "tracking", "notifier"])
async def test_a_service_counts_as_its_own_user(redis_of, user):
    limits = RateLimits(redis_of(user), NAMESPACES[user])
    try:
        reservation = await limits.reserve("5/minute", "test", "key")
        await limits.release(reservation)
    finally:
        await limits.close()
