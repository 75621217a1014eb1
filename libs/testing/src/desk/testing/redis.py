"""A Redis server for tests."""

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from redis import Redis, RedisError

from desk.testing.certificates import Certificate
from desk.testing.errors import NotReadyError
from desk.testing.machine import GivenAddress
from desk.testing.ports import free_port
from desk.testing.process import LocalProcess, find_program, new_folder
from desk.testing.server import Environment, Server, begin, first_of, given, image_of

ADVICE = "run tests/install-servers, or name a server of yours in DESK_TEST_REDIS_URL"
IMAGE = "redis:8"
ANSWER_SECONDS = 3.0

# Each write is in the append-only file, and so with the kernel, before it is answered: it survives a crash.
OPTIONS = ("--appendonly", "yes", "--save", "")


@dataclass(frozen=True, kw_only=True)
class RedisServer(Server):
    """`url` names database 0; `tls_port` is a further port, for TLS."""

    url: str
    tls_port: int | None = None

    def check(self) -> str:
        client = Redis.from_url(self.url, socket_timeout=ANSWER_SECONDS, socket_connect_timeout=ANSWER_SECONDS)
        try:
            client.ping()
            return str(client.info("server")["redis_version"])
        except RedisError as error:
            raise NotReadyError(f"{type(error).__name__}: {error}") from error
        finally:
            client.close()


def open_redis(environment: Environment = os.environ) -> RedisServer:
    """Return a Redis: the given one, one in Docker, or the local binary."""
    return first_of("Redis", (given_redis, docker_redis, local_redis), environment, ADVICE)


def given_redis(environment: Environment) -> RedisServer:
    """Return the server at DESK_TEST_REDIS_URL."""
    url = given(environment, "DESK_TEST_REDIS_URL")
    return begin(RedisServer(how="given address", machine=GivenAddress(), url=url))


def docker_redis(environment: Environment) -> RedisServer:
    """Return a server in a container of REDIS_IMAGE."""
    from desk.testing.container import Container  # noqa: PLC0415  # slow to import, and only needed here

    image, port, password = image_of(environment, "REDIS", IMAGE), free_port(), secrets.token_hex(12)
    container = Container(image, ports={6379: port}, command=["redis-server", "--requirepass", password, *OPTIONS])
    url = f"redis://:{password}@{container.host}:{port}/0"
    return begin(RedisServer(how=f"docker image {image}", machine=container, url=url))


def local_redis(_: Environment | None = None, *, certificate: Certificate | None = None) -> RedisServer:
    """Return a server from the binary of this machine; with a certificate it has a port for TLS as well."""
    program = find_program("redis-server")
    folder, port, password = new_folder("redis"), free_port(), secrets.token_hex(12)
    place = ["--bind", "127.0.0.1", "--port", str(port), "--dir", str(folder)]
    tls_port = free_port() if certificate is not None else None
    tls = _tls_options(folder, certificate, tls_port) if certificate is not None else ()
    process = LocalProcess([program, *place, *tls, "--requirepass", password, *OPTIONS], folder=folder)
    url = f"redis://:{password}@127.0.0.1:{port}/0"
    return begin(RedisServer(how="local binary redis-server", machine=process, url=url, tls_port=tls_port))


def _tls_options(folder: Path, certificate: Certificate, port: int | None) -> tuple[str, ...]:
    certificate.write(folder, "redis.crt", "redis.key")
    files = ("--tls-cert-file", str(folder / "redis.crt"), "--tls-key-file", str(folder / "redis.key"))
    return (*files, "--tls-port", str(port), "--tls-auth-clients", "no")
