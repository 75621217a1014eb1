"""A virtual host on a real RabbitMQ, set up for the desk, with some passwords."""

import asyncio
import uuid
from urllib.parse import quote, urlsplit

import aio_pika
import httpx
import pytest

from desk.topology.apply import apply
from desk.topology.definitions import definitions
from desk.topology.management import Management

PASSWORDS = {name: f"{name}'s password" for name in ("intake", "tracking", "province.isfahan", "province.qom")}


class Broker:
    """The desk's virtual host, and the operator's actions on it."""

    def __init__(self, server):
        self._server, self._vhost = server, f"expert-{uuid.uuid4()}"

    def _management(self):
        parts = urlsplit(self._server.management_url)
        return Management(f"{parts.scheme}://{quote(self._server.user)}:{quote(self._server.password)}@{parts.netloc}")

    def set_up(self):
        wanted = definitions(self._vhost)
        with self._management() as management:
            list(apply(management, wanted, PASSWORDS))

    def forget_users(self):
        own = {entry["name"] for entry in definitions(self._vhost)["users"]}
        with self._management() as management:
            for name in {user["name"] for user in management.entries("users")} & own:
                management.delete("users", name)

    def delete_queue(self, name):
        with self._management() as management:
            management.delete("queues", self._vhost, name)

    def url(self, user):
        place = urlsplit(self._server.amqp_url)
        return place._replace(
            netloc=f"{quote(user)}:{quote(PASSWORDS[user])}@{place.hostname}:{place.port}", path=f"/{self._vhost}"
        ).geturl()

    async def wait_for_messages(self, name, count):
        """Wait until a queue has so many messages."""
        url = urlsplit(self._server.amqp_url)._replace(path=f"/{self._vhost}").geturl()
        connection = await aio_pika.connect(url, timeout=10)
        async with asyncio.timeout(20), connection:
            channel = await connection.channel()
            while (await channel.declare_queue(name, passive=True)).declaration_result.message_count < count:  # noqa: ASYNC110 - a queue has no event
                await asyncio.sleep(0.1)

    def end(self):
        auth = (self._server.user, self._server.password)
        httpx.delete(f"{self._server.management_url}/api/vhosts/{self._vhost}", auth=auth, timeout=60)


@pytest.fixture
def broker(rabbit_server):
    broker = Broker(rabbit_server)
    broker.forget_users()
    broker.set_up()
    yield broker
    broker.end()


@pytest.fixture
def broker_url(broker):
    """Return a function that returns the address for a user."""
    return broker.url
