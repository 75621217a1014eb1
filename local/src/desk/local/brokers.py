"""The brokers of the embedded desk: a file for all users, or a real RabbitMQ with a connection for each user."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import quote, urlsplit

from desk.chassis.bus import Broker
from desk.chassis.bus.embedded import EmbeddedBroker
from desk.chassis.bus.rabbit import RabbitBroker
from desk.chassis.telemetry import Telemetry
from desk.testing.rabbit import RabbitServer, open_rabbit
from desk.topology.apply import apply
from desk.topology.definitions import definitions
from desk.topology.management import Management

VHOST = "desk"
"""The virtual host of the desk on the RabbitMQ."""


class Brokers(Protocol):
    """A broker for each user: a service, or an office as ``province.<key>``."""

    def of(self, user: str) -> Broker:
        """Return the broker as this user reaches it."""

    async def open(self) -> None:
        """Create what is missing."""

    async def drain(self) -> None:
        """Let running handlers finish, and start no others."""

    async def close(self) -> None:
        """Drain, and close all connections."""


@dataclass(frozen=True, slots=True)
class EmbeddedBrokers:
    """One broker in a file, for all users."""

    broker: EmbeddedBroker

    def of(self, _user: str) -> Broker:
        """Return the one broker."""
        return self.broker

    async def open(self) -> None:
        """Create the file's table."""
        await self.broker.open()

    async def drain(self) -> None:
        """Let each consumer finish its message."""
        await self.broker.drain()

    async def close(self) -> None:
        """Close the file."""
        await self.broker.close()


@dataclass(slots=True)
class RabbitBrokers:
    """A RabbitMQ with the desk's topology: the given one, one in Docker, or the binary of this machine."""

    server: RabbitServer
    passwords: Mapping[str, str]
    observed: Callable[[str, Broker], Broker]
    """Returns the broker of a user, or one that observes it."""
    _opened: list[RabbitBroker] = field(default_factory=list)

    @classmethod
    def start(cls, observed: Callable[[str, Broker], Broker]) -> "RabbitBrokers":
        """Start the server, and give each user of the desk a new password.

        The server is that of DESK_TEST_RABBITMQ_URL, a container or a local binary. Raises ServerUnavailableError.
        """
        server = open_rabbit()
        wanted = definitions(VHOST)
        passwords = {str(user["name"]): secrets.token_urlsafe(18) for user in wanted["users"]}
        place = urlsplit(server.management_url)
        url = f"{place.scheme}://{quote(server.user)}:{quote(server.password)}@{place.netloc}"
        server.create_vhost(VHOST)
        server.import_definitions(wanted)  # at once; what then remains to be applied are the passwords
        with Management(url) as management:
            list(apply(management, wanted, passwords))
        return cls(server, passwords, observed)

    def url(self, user: str) -> str:
        """Return the address for a user."""
        place = urlsplit(self.server.amqp_url)
        return f"amqp://{quote(user)}:{quote(self.passwords[user])}@{place.hostname}:{place.port or 5672}/{VHOST}"

    def of(self, user: str) -> Broker:
        """Return a broker that connects as this user."""
        broker = RabbitBroker(self.url(user), Telemetry(user))
        self._opened.append(broker)
        return self.observed(user, broker)

    async def open(self) -> None:
        """Do nothing: the topology is there since the start."""

    async def drain(self) -> None:
        """Let each consumer finish its message."""
        for broker in self._opened:
            await broker.drain()

    async def close(self) -> None:
        """Close all connections; the server ends with the process."""
        for broker in self._opened:
            await broker.close()
