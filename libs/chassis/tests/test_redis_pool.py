"""Connections to Redis, and to whichever server three sentinels hold for the master."""

import asyncio
import textwrap
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack

import pytest
from pydantic_settings import SettingsError
from redis import Redis as BlockingRedis
from redis import RedisError
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from desk.chassis.problem import RateLimitExceededError, ServiceUnavailableError
from desk.chassis.rate_limits import RateLimits
from desk.chassis.redis_pool import redis_pool
from desk.testing.errors import ServersError
from desk.testing.ports import free_port
from desk.testing.process import LocalProcess, find_program, new_folder

PASSWORD, SENTINEL_PASSWORD = "of the servers", "of-the-sentinels"
QUORUM, SENTINELS = 2, 3
DEADLINE = 60.0


class Watched:
    """A master, its replica, and three sentinels that call the master `desk`."""

    def __init__(self, program: str) -> None:
        self.ports = [free_port(), free_port()]
        self.servers = [self._server(program, port) for port in self.ports]
        self.sentinel_ports = [free_port() for _ in range(SENTINELS)]
        self.sentinels = [self._sentinel(program, port) for port in self.sentinel_ports]

    @property
    def url(self) -> str:
        places = ",".join(f"127.0.0.1:{port}" for port in self.sentinel_ports)
        return f"redis+sentinel://:of%20the%20servers@{places}/desk/1?sentinel_password={SENTINEL_PASSWORD}"

    def ready(self) -> bool:
        """Return whether every sentinel knows both the replica and its peers."""
        states = [self._master(port) for port in self.sentinel_ports]
        return all(
            state and state["num-slaves"] == 1 and state["num-other-sentinels"] == SENTINELS - 1 for state in states
        )

    def _master(self, port: int):
        client = BlockingRedis(port=port, password=SENTINEL_PASSWORD, socket_timeout=2)
        try:
            return client.sentinel_masters().get("desk")
        except RedisError:
            return None
        finally:
            client.close()

    def _server(self, program: str, port: int) -> LocalProcess:
        folder = new_folder("redis")
        options = [
            "--port",
            str(port),
            "--bind",
            "127.0.0.1",
            "--dir",
            str(folder),
            "--save",
            "",
            "--appendonly",
            "yes",
        ]
        options += ["--requirepass", PASSWORD, "--masterauth", PASSWORD]
        options += [] if port == self.ports[0] else ["--replicaof", "127.0.0.1", str(self.ports[0])]
        return LocalProcess([program, *options], folder=folder)

    def _sentinel(self, program: str, port: int) -> LocalProcess:
        folder = new_folder("redis")
        settings = f"""
            port {port}
            bind 127.0.0.1
            requirepass {SENTINEL_PASSWORD}
            sentinel sentinel-pass {SENTINEL_PASSWORD}
            sentinel monitor desk 127.0.0.1 {self.ports[0]} {QUORUM}
            sentinel auth-pass desk "{PASSWORD}"
            sentinel down-after-milliseconds desk 500
            sentinel failover-timeout desk 3000
        """
        (folder / "sentinel.conf").write_text(textwrap.dedent(settings))
        return LocalProcess([program, str(folder / "sentinel.conf"), "--sentinel"], folder=folder)


def wait_for(condition: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < end, f"{what} did not come about within {DEADLINE:.0f} s"
        time.sleep(0.05)


@pytest.fixture
def watched() -> Iterator[Watched]:
    try:
        program = find_program("redis-server")
    except ServersError as error:
        pytest.fail(f"{error}; run tests/install-servers: sentinels are tested on this machine's own redis-server")
    desk = Watched(program)
    with ExitStack() as stack:
        for process in (*desk.servers, *desk.sentinels):
            stack.callback(process.close)
            process.start()
        wait_for(desk.ready, "agreement among the sentinels")
        yield desk


async def test_the_master_is_used_and_after_its_death_the_replica(watched: Watched):
    redis = Redis.from_pool(redis_pool(watched.url, max_connections=4))
    await redis.set("challenge", "40967")
    await replicated(watched)
    assert redis.connection_pool.master_address[1] == watched.ports[0]

    await asyncio.to_thread(watched.servers[0].kill)

    await in_time(lambda: holds(redis, "challenge", b"40967"))
    await in_time(lambda: takes(redis, "challenge", "written to the new master"))
    assert redis.connection_pool.master_address[1] == watched.ports[1]
    await redis.aclose()


async def test_rate_limits_are_counted_on_the_master_and_survive_it(watched: Watched):
    counters = RateLimits(watched.url)
    await counters.reserve("1/10 minutes", "misses", "a")
    with pytest.raises(RateLimitExceededError):
        await counters.reserve("1/10 minutes", "misses", "a")
    await replicated(watched)

    await asyncio.to_thread(watched.servers[0].kill)

    await in_time(lambda: is_exhausted(counters))
    await counters.close()


async def test_more_callers_than_connections_wait_for_one_and_no_longer_than_a_second(redis_server):
    redis = Redis.from_pool(redis_pool(redis_server.url, max_connections=1))
    async with redis.client() as holder:
        await holder.ping()
        with pytest.raises(RedisConnectionError, match="No connection available"):
            await redis.ping()
    assert await redis.ping()
    await redis.aclose()


@pytest.mark.parametrize(
    "url",
    [
        "redis+sentinel://:hush@one:26379,two:26379",
        "redis+sentinel://:hush@one:port/desk",
        "redis+sentinel://:hush@:26379/desk",
        "redis+sentinel://:hush@one:26379/desk/first",
    ],
)
def test_an_invalid_address_is_refused_without_repeating_it(url):
    with pytest.raises(SettingsError, match=r"redis\+sentinel://:password@one:26379") as refused:
        redis_pool(url, 1)
    assert "hush" not in str(refused.value)


def test_sentinels_and_servers_can_be_connected_over_tls():
    pool = redis_pool("rediss+sentinel://desk:pass%3Aword@one,two:26380/desk", 1)
    assert pool.connection_class.__name__ == "SentinelManagedSSLConnection"
    assert (pool.connection_kwargs["username"], pool.connection_kwargs["password"]) == ("desk", "pass:word")
    sentinels = [each.connection_pool.connection_kwargs for each in pool.sentinel_manager.sentinels]
    assert [(each["host"], each["port"]) for each in sentinels] == [("one", 26379), ("two", 26380)]


async def replicated(watched: Watched) -> None:
    """Wait until the replica has all that the master has."""
    async with Redis(port=watched.ports[0], password=PASSWORD, socket_timeout=DEADLINE) as master:
        await master.set("mark", "written last")  # only a connection that has written has something to wait for
        assert await master.wait(1, int(DEADLINE * 1000)) == 1


async def in_time(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait until a condition is true; errors of Redis until then are ignored."""
    async with asyncio.timeout(DEADLINE):
        while not await _holds(condition):  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.1)


async def _holds(condition: Callable[[], Awaitable[bool]]) -> bool:
    try:
        return await condition()
    except RedisError:
        return False


async def holds(redis: Redis, key: str, value: bytes) -> bool:
    return await redis.get(key) == value


async def takes(redis: Redis, key: str, value: str) -> bool:
    return bool(await redis.set(key, value))


async def is_exhausted(counters: RateLimits) -> bool:
    try:
        await counters.require_available("1/10 minutes", "misses", "a")
    except RateLimitExceededError:
        return True
    except ServiceUnavailableError:  # no master yet
        return False
    return False
