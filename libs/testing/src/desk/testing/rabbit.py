"""A RabbitMQ server with its management API for tests."""

import asyncio
import os
import secrets
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

import aio_pika
import httpx
from aio_pika.exceptions import AMQPException

from desk.testing.certificates import Certificate
from desk.testing.errors import NotReadyError, ServerFailedError
from desk.testing.machine import GivenAddress
from desk.testing.ports import free_port
from desk.testing.process import LocalProcess, find_program, new_folder
from desk.testing.server import Environment, Server, begin, first_of, given, image_of

ADVICE = "run tests/install-servers, or name a server of yours in DESK_TEST_RABBITMQ_URL"
IMAGE = "rabbitmq:4-management"
ANSWER_SECONDS = 5.0
IMPORT_SECONDS = 120.0
RELEASE_SECONDS = 30.0
RELEASE_POLL_SECONDS = 0.05
USER = "tests"
LOCAL_ATTEMPTS = 3

# RabbitMQ writes the name of a new quorum queue to disk 3 s after it was declared. If it is killed before, the queue
# comes back without a leader and for good (rabbitmq/rabbitmq-server#10070): a test waits this long before `kill`.
QUEUE_SETTLE_SECONDS = 4.0

# Debian's rabbitmq-server is a wrapper that changes to its own user and folders; the real one is in its library folder.
PROGRAMS = (
    "/usr/lib/rabbitmq/bin/rabbitmq-server",
    "/usr/local/sbin/rabbitmq-server",
    "/opt/homebrew/sbin/rabbitmq-server",
)


@dataclass(frozen=True, kw_only=True)
class RabbitServer(Server):
    """`user` is an administrator; `amqp_url` names the default virtual host."""

    amqp_url: str
    management_url: str
    user: str
    password: str
    metrics_address: str | None = None
    """``host:port`` of the metrics of its queues; unknown for a given server."""
    tls_port: int | None = None

    def check(self) -> str:
        try:
            # A thread of its own, because the caller's may have a running event loop.
            with ThreadPoolExecutor(1) as thread:
                thread.submit(asyncio.run, _connect_once(self.amqp_url)).result()
            return str(self._manage("GET", "/api/overview").json()["rabbitmq_version"])
        except (OSError, AMQPException, httpx.HTTPError) as error:
            raise NotReadyError(f"{type(error).__name__}: {error}") from error

    def create_vhost(self, name: str) -> str:
        """Create a virtual host in which `user` may do everything, and return its AMQP URL."""
        self._manage("PUT", f"/api/vhosts/{quote(name, safe='')}")
        everything = {"configure": ".*", "write": ".*", "read": ".*"}
        path = f"/api/permissions/{quote(name, safe='')}/{quote(self.user, safe='')}"
        self._manage("PUT", path, json=everything)
        return urlsplit(self.amqp_url)._replace(path=f"/{quote(name, safe='')}").geturl()

    def import_definitions(self, definitions: Mapping[str, object]) -> None:
        """Create all that definitions name by one call, which is much faster than a call for each object."""
        versioned = {"rabbit_version": "3.10.0", **definitions}
        self._manage("POST", "/api/definitions", json=versioned, seconds=IMPORT_SECONDS)

    def delete_users(self, definitions: Mapping[str, object]) -> None:
        """Delete the users that definitions name, and end their connections; missing ones are no error."""
        users = definitions["users"]
        named = {user["name"] for user in users} if isinstance(users, list) else set()
        there = {user["name"] for user in self._manage("GET", "/api/users").json()}
        if names := sorted(named & there):
            self._manage("POST", "/api/users/bulk-delete", json={"users": names}, seconds=IMPORT_SECONDS)

    def delete_vhost(self, name: str) -> None:
        """Delete a virtual host with everything in it; a missing one is no error."""
        if any(each["name"] == name for each in self._manage("GET", "/api/vhosts").json()):
            self._manage("DELETE", f"/api/vhosts/{quote(name, safe='')}", seconds=IMPORT_SECONDS)

    def _manage(
        self, method: str, path: str, *, json: object = None, seconds: float = ANSWER_SECONDS
    ) -> httpx.Response:
        url = self.management_url + path
        answer = httpx.request(method, url, json=json, auth=(self.user, self.password), timeout=seconds)
        return answer.raise_for_status()


async def empty_queues(url: str, names: Iterable[str]) -> None:
    """Purge queues, each once it has no consumer any more: what was in delivery is then back in it.

    ``url`` is an administrator's. Raises TimeoutError if a queue is still consumed after RELEASE_SECONDS.
    """
    async with (
        await aio_pika.connect(url) as connection,
        connection.channel() as channel,
        asyncio.timeout(RELEASE_SECONDS),
    ):
        for name in names:
            queue = await channel.declare_queue(name, passive=True)
            while queue.declaration_result.consumer_count:
                await asyncio.sleep(RELEASE_POLL_SECONDS)
                queue = await channel.declare_queue(name, passive=True)
            if queue.declaration_result.message_count:
                await queue.purge()


def open_rabbit(environment: Environment = os.environ) -> RabbitServer:
    """Return a RabbitMQ: the given one, one in Docker, or the local binary."""
    return first_of("RabbitMQ", (given_rabbit, docker_rabbit, local_rabbit), environment, ADVICE)


def given_rabbit(environment: Environment) -> RabbitServer:
    """Return the server at DESK_TEST_RABBITMQ_URL; DESK_TEST_RABBITMQ_MANAGEMENT_URL is port 15672 there if unset."""
    url = given(environment, "DESK_TEST_RABBITMQ_URL")
    parts = urlsplit(url)
    management = environment.get("DESK_TEST_RABBITMQ_MANAGEMENT_URL") or f"http://{parts.hostname}:15672"
    return begin(
        RabbitServer(
            how="given address",
            machine=GivenAddress(),
            amqp_url=url,
            management_url=management.rstrip("/"),
            user=unquote(parts.username or "guest"),
            password=unquote(parts.password or "guest"),
        )
    )


def docker_rabbit(environment: Environment) -> RabbitServer:
    """Return a server in a container of RABBITMQ_IMAGE, which has the management plugin."""
    from desk.testing.container import Container  # noqa: PLC0415  # slow to import, and only needed here

    image, password = image_of(environment, "RABBITMQ", IMAGE), secrets.token_urlsafe(12)
    port, management_port, metrics_port = free_port(), free_port(), free_port()
    container = Container(
        image,
        ports={5672: port, 15672: management_port, 15692: metrics_port},
        environment={"RABBITMQ_DEFAULT_USER": USER, "RABBITMQ_DEFAULT_PASS": password},
    )
    return begin(
        RabbitServer(
            how=f"docker image {image}",
            machine=container,
            amqp_url=f"amqp://{USER}:{password}@{container.host}:{port}/",
            management_url=f"http://{container.host}:{management_port}",
            metrics_address=f"{container.host}:{metrics_port}",
            user=USER,
            password=password,
        )
    )


def local_rabbit(_: Environment | None = None, *, certificate: Certificate | None = None) -> RabbitServer:
    """Return a server from the binary of this machine; with a certificate it has a port for TLS as well.

    It is started again on other ports if it ends at once: another program may have taken one of its six ports.
    """
    for _attempt in range(LOCAL_ATTEMPTS - 1):
        with suppress(ServerFailedError):
            return _local_rabbit(certificate)
    return _local_rabbit(certificate)


def _local_rabbit(certificate: Certificate | None) -> RabbitServer:
    real = next((path for path in PROGRAMS if Path(path).is_file()), None)
    program = real or find_program("rabbitmq-server")
    epmd = find_program("epmd", "/usr/lib/erlang/erts-*/bin/epmd", "/usr/local/lib/erlang/erts-*/bin/epmd")
    folder, password = new_folder("rabbit"), secrets.token_urlsafe(12)
    port, management_port, metrics_port, epmd_port = (free_port() for _ in range(4))
    environment = _settings(folder, port, management_port, epmd_port, password)
    (folder / "conf.d" / "metrics.conf").write_text(
        f"prometheus.tcp.ip = 127.0.0.1\nprometheus.tcp.port = {metrics_port}\n"
    )
    tls_port = free_port() if certificate is not None else None
    if certificate is not None:
        certificate.write(folder, "rabbit.crt", "rabbit.key")
        (folder / "conf.d" / "tls.conf").write_text(
            f"listeners.ssl.1 = 127.0.0.1:{tls_port}\n"
            f"ssl_options.certfile = {folder}/rabbit.crt\n"
            f"ssl_options.keyfile = {folder}/rabbit.key\n"
            "ssl_options.verify = verify_none\n"
        )
    # Started by us: a broker would start one that outlives it and everything else.
    names = LocalProcess([epmd, "-address", "127.0.0.1", "-port", str(epmd_port)], folder=folder)
    process = LocalProcess([program], folder=folder, environment=environment, helpers=[names])
    return begin(
        RabbitServer(
            how="local binary rabbitmq-server",
            machine=process,
            tls_port=tls_port,
            amqp_url=f"amqp://{USER}:{password}@127.0.0.1:{port}/",
            management_url=f"http://127.0.0.1:{management_port}",
            metrics_address=f"127.0.0.1:{metrics_port}",
            user=USER,
            password=password,
        )
    )


def _settings(folder: Path, port: int, management_port: int, epmd_port: int, password: str) -> dict[str, str]:
    (folder / "conf.d").mkdir()
    (folder / "rabbitmq.conf").write_text(
        f"listeners.tcp.1 = 127.0.0.1:{port}\n"
        f"management.tcp.ip = 127.0.0.1\n"
        f"management.tcp.port = {management_port}\n"
        f"default_user = {USER}\n"
        f"default_pass = {password}\n"
        "disk_free_limit.absolute = 50MB\n"
    )
    (folder / "enabled_plugins").write_text("[rabbitmq_management,rabbitmq_prometheus].\n")
    cookie = folder / ".erlang.cookie"
    cookie.write_text(secrets.token_hex(16))
    cookie.chmod(0o400)
    return {
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "ERL_EPMD_PORT": str(epmd_port),
        "RABBITMQ_CONF_ENV_FILE": str(folder / "no-such-file"),
        "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
        "RABBITMQ_CONFIG_FILES": str(folder / "conf.d"),
        "RABBITMQ_ADVANCED_CONFIG_FILE": str(folder / "advanced.config"),
        "RABBITMQ_DIST_PORT": str(free_port()),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
        "RABBITMQ_GENERATED_CONFIG_DIR": str(folder / "generated"),
        "RABBITMQ_LOG_BASE": str(folder / "logs"),
        "RABBITMQ_LOGS": "-",
        "RABBITMQ_MNESIA_BASE": str(folder / "data"),
        "RABBITMQ_NODENAME": f"desk-{port}@localhost",
        "RABBITMQ_PID_FILE": str(folder / "pid"),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
        # Makes the script become the broker instead of waiting for it as a shell that would survive it.
        "RUNNING_UNDER_SYSTEMD": "true",
    }


async def _connect_once(url: str) -> None:
    # The library logs every refused connection as an error, so it connects only once the port is open.
    parts = urlsplit(url)
    async with asyncio.timeout(ANSWER_SECONDS):
        _, writer = await asyncio.open_connection(parts.hostname, parts.port or 5672)
        writer.close()
        await writer.wait_closed()
    connection = await aio_pika.connect(url, timeout=ANSWER_SECONDS)
    await connection.close()
