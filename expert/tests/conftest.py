"""A virtual host of its own on a real RabbitMQ, set up for the desk, with a few passwords."""

import uuid
from urllib.parse import quote, urlsplit

import httpx
import pytest

from desk.topology.apply import apply
from desk.topology.definitions import definitions
from desk.topology.management import Management

PASSWORDS = {name: f"{name}'s word" for name in ("intake", "tracking", "province.isfahan", "province.qom")}


@pytest.fixture
def broker_url(rabbit_server):
    """Give addresses by user."""
    vhost, parts = f"expert-{uuid.uuid4()}", urlsplit(rabbit_server.management_url)
    owner = f"{quote(rabbit_server.user)}:{quote(rabbit_server.password)}"
    wanted = definitions(vhost)
    with Management(f"{parts.scheme}://{owner}@{parts.netloc}") as management:
        ours = {entry["name"] for entry in wanted["users"]}
        for name in {user["name"] for user in management.entries("users")} & ours:
            management.delete("users", name)
        list(apply(management, wanted, PASSWORDS))

    def url(user):
        place = urlsplit(rabbit_server.amqp_url)
        return place._replace(
            netloc=f"{quote(user)}:{quote(PASSWORDS[user])}@{place.hostname}:{place.port}", path=f"/{vhost}"
        ).geturl()

    yield url
    auth = (rabbit_server.user, rabbit_server.password)
    httpx.delete(f"{rabbit_server.management_url}/api/vhosts/{vhost}", auth=auth, timeout=60)
