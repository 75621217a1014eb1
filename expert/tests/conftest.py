"""A virtual host on a real RabbitMQ, set up for the desk, with some passwords."""

import asyncio
import uuid
from urllib.parse import quote, urlsplit

import aio_pika
import pytest

from desk.testing.rabbit import empty_queues
from desk.topology.apply import apply
from desk.topology.definitions import definitions
from desk.topology.management import Management

PASSWORDS = {name: f"{name}'s password" for name in ("intake", "tracking", "province.isfahan", "province.qom")}


class Broker:
    """The desk's virtual host, and the operator's actions on it."""

    def __init__(self, server):
        self._server, self._vhost = server, f"expert-{uuid.uuid4()}"
        self._admin_url = server.create_vhost(self._vhost)
        self._wanted = definitions(self._vhost)

    def _management(self):
        parts = urlsplit(self._server.management_url)
        return Management(f"{parts.scheme}://{quote(self._server.user)}:{quote(self._server.password)}@{parts.netloc}")

    def set_up(self):
        with self._management() as management:
            list(apply(management, self._wanted, PASSWORDS))

    def import_all(self):
        """Create everything at once; other tests' users of the same names are replaced."""
        self._server.delete_users(self._wanted)
        self._server.import_definitions(self._wanted)

    async def empty(self):
        await empty_queues(self._admin_url, sorted(each["name"] for each in self._wanted["queues"]))

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
        connection = await aio_pika.connect(self._admin_url, timeout=10)
        async with asyncio.timeout(60), connection:
            channel = await connection.channel()
            while (await channel.declare_queue(name, passive=True)).declaration_result.message_count < count:  # noqa: ASYNC110 - a queue has no event
                await asyncio.sleep(0.1)

    def end(self):
        self._server.delete_vhost(self._vhost)


@pytest.fixture(scope="module")
def _module_broker(rabbit_server):
    broker = Broker(rabbit_server)
    broker.import_all()
    yield broker
    broker.end()


@pytest.fixture
async def broker(_module_broker):
    """The virtual host of the module, with its topology restored and empty queues."""
    _module_broker.set_up()
    await _module_broker.empty()
    return _module_broker


@pytest.fixture
def broker_url(broker):
    """Return a function that returns the address for a user."""
    return broker.url
