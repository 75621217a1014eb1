"""The desk on a real broker: its virtual host, users and queues, and the commands of an operator."""

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

import aio_pika
import httpx
from support.background import BackgroundLoop

from desk.testing.rabbit import RabbitServer
from desk.topology.definitions import definitions

ONE_TASK_SECONDS = 120.0
READ_QUEUES = ("intake", "tracking", "notifier")
OFFICE_QUEUES = ("province.isfahan", "province.qom", "headquarters")
DELAYS = ("5s", "1m", "10m", "1h")
REPORT_QUEUES = ("reports.isfahan", "reports.qom")
STUCK_QUEUES = (
    *(f"delay.{delay}" for delay in DELAYS),
    *(f"{name}.dead" for name in (*READ_QUEUES, *REPORT_QUEUES, *OFFICE_QUEUES)),
)
PASSWORDS = {user: secrets.token_urlsafe(12) for user in (*READ_QUEUES, "operator", *OFFICE_QUEUES)}
"""The same for all desks of a test process, because users are shared by all virtual hosts of a server."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Queue:
    """The state of a queue: number of ready messages and of consumers."""

    messages: int
    consumers: int


class RealBroker:
    """A virtual host for one desk on a RabbitMQ server."""

    def __init__(self, loop: BackgroundLoop, server: RabbitServer, vhost: str) -> None:
        self._loop, self._server, self._vhost = loop, server, vhost
        self.passwords = PASSWORDS

    def url(self, user: str | None = None) -> str:
        """Return the address for one of the users with a password, or for the administrator."""
        parts = urlsplit(self._server.amqp_url)
        name, password = (user, self.passwords[user]) if user else (self._server.user, self._server.password)
        place = f"{quote(name)}:{quote(password)}@{parts.hostname}:{parts.port}"
        return parts._replace(netloc=place, path=f"/{self._vhost}").geturl()

    # as an operator

    def import_topology(self) -> None:
        """Create the virtual host with all queues at once; ``desk-topology apply`` then has only passwords to set."""
        self._server.create_vhost(self._vhost)
        self._server.import_definitions(definitions(self._vhost))

    @property
    def topology_settings(self) -> dict[str, str]:
        """The settings of ``desk-topology``."""
        parts = urlsplit(self._server.management_url)
        owner = f"{quote(self._server.user)}:{quote(self._server.password)}"
        return {
            "DESK_TOPOLOGY_MANAGEMENT_URL": f"{parts.scheme}://{owner}@{parts.netloc}",
            "DESK_TOPOLOGY_AMQP_URL": self.url("operator"),
            "DESK_TOPOLOGY_VHOST": self._vhost,
            "DESK_TOPOLOGY_PASSWORDS": json.dumps(self.passwords),
        }

    def topology(self, *arguments: str) -> str:
        """Run ``desk-topology`` and return its output."""
        return run_commands(self.topology_settings, ("desk.topology.main", arguments))

    def manage(self, method: str, *path: str, body: object = None) -> httpx.Response:
        """Call the management API."""
        place = "/".join(quote(part, safe="") for part in path)
        auth = (self._server.user, self._server.password)
        return httpx.request(method, f"{self._server.management_url}/api/{place}", json=body, auth=auth, timeout=30)

    # its queues

    @property
    def queue_metrics(self) -> dict[str, object]:
        """What Prometheus reads for the lengths of this desk's queues, as in a file of its settings."""
        return {
            "metrics_path": "/metrics/detailed",
            "params": {"family": ["queue_coarse_metrics"], "vhost": [self._vhost]},
            "static_configs": [{"targets": [self._server.metrics_address]}],
        }

    def do(self, work: Callable[[aio_pika.abc.AbstractChannel], Coroutine[Any, Any, T]], user: str | None = None) -> T:
        """Run a coroutine on a channel, as the administrator or as one of the users."""

        async def connected() -> T:
            connection = await aio_pika.connect(self.url(user), timeout=10)
            async with connection:
                return await work(await connection.channel(publisher_confirms=True, on_return_raises=True))

        return self._loop.run(connected())

    def queue(self, name: str) -> Queue:
        """Return the state of a queue."""

        async def look(channel: aio_pika.abc.AbstractChannel) -> Queue:
            found = (await channel.declare_queue(name, passive=True)).declaration_result
            return Queue(found.message_count or 0, found.consumer_count or 0)

        return self.do(look)

    def consumers(self, *names: str) -> dict[str, int]:
        """Count the consumers of these queues, over one connection."""

        async def look(channel: aio_pika.abc.AbstractChannel) -> dict[str, int]:
            counts = {name: (await channel.declare_queue(name, passive=True)).declaration_result for name in names}
            return {name: found.consumer_count or 0 for name, found in counts.items()}

        return self.do(look)

    def waiting(self, *names: str) -> dict[str, int]:
        """Count the messages in these queues; empty ones are left out."""

        async def look(channel: aio_pika.abc.AbstractChannel) -> dict[str, int]:
            counts = {name: (await channel.declare_queue(name, passive=True)).declaration_result for name in names}
            return {name: found.message_count for name, found in counts.items() if found.message_count}

        return self.do(look)

    def purge(self) -> None:
        """Empty every queue that an experiment may have filled."""

        async def empty(channel: aio_pika.abc.AbstractChannel) -> None:
            for name in (*READ_QUEUES, *REPORT_QUEUES, *OFFICE_QUEUES, *STUCK_QUEUES):
                await (await channel.get_queue(name)).purge()

        self.do(empty)

    def delete(self) -> None:
        """Delete the virtual host and everything in it."""
        self._server.delete_vhost(self._vhost)


def run_commands(environment: Mapping[str, str], *jobs: tuple[str, Sequence[str]]) -> str:
    """Run several of the project's commands in one process, because most of their time is spent on imports."""
    program = "import sys\n" + "\n".join(
        f"from {module} import main\nsys.argv = {['command', *arguments]!r}\nmain()" for module, arguments in jobs
    )
    done = subprocess.run(  # noqa: S603 - our own commands
        [sys.executable, "-c", program],
        env=dict(os.environ) | dict(environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=ONE_TASK_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout
