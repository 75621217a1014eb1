"""A virtual host of its own on a real RabbitMQ, with the desk's topology applied and passwords for a few users."""

import asyncio
import sys
import uuid
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from urllib.parse import quote, urlsplit

import pytest
import structlog

from desk.testing.rabbit import empty_queues
from desk.topology.apply import apply
from desk.topology.definitions import definitions
from desk.topology.management import Management

PASSWORDS = {
    "intake": "intake's own long word",
    "tracking": "tracking's own long word",
    "notifier": "notifier's own long word",
    "operator": "operator's own long word",
    "province.isfahan": "isfahan's own long word",
    "province.qom": "qom's own long word",
    "headquarters": "headquarters' own long word",
}


class Desk:
    """A broker set up for the desk."""

    def __init__(self, server, vhost: str) -> None:
        self.server, self.vhost = server, vhost
        self.definitions = definitions(vhost)
        parts = urlsplit(server.management_url)
        self.management_url = f"{parts.scheme}://{quote(server.user)}:{quote(server.password)}@{parts.netloc}"
        self.management = Management(self.management_url)

    def apply(self, **passwords: str) -> list[str]:
        return list(apply(self.management, self.definitions, passwords))

    def url(self, user: str | None = None) -> str:
        """Return the address for one of the users above, or for the administrator."""
        parts = urlsplit(self.server.amqp_url)
        name, password = (user, PASSWORDS[user]) if user else (self.server.user, self.server.password)
        host = f"{quote(name)}:{quote(password)}@{parts.hostname}:{parts.port}"
        return parts._replace(netloc=host, path=f"/{self.vhost}").geturl()


@contextmanager
def _virtual_host(server) -> Iterator[Desk]:
    desk = Desk(server, f"desk-{uuid.uuid4()}")
    server.delete_users(desk.definitions)  # users are the whole server's, and an earlier test may have left them
    with desk.management:
        yield desk
    server.delete_vhost(desk.vhost)


@pytest.fixture
def bare(rabbit_server) -> Iterator[Desk]:
    """A virtual host with nothing applied yet."""
    with _virtual_host(rabbit_server) as desk:
        yield desk


@pytest.fixture(scope="module")
def lasting_desk(rabbit_server) -> Iterator[Desk]:
    """A desk for tests that leave no changes. Not for modules that use another desk, because users are shared."""
    with _virtual_host(rabbit_server) as desk:
        rabbit_server.create_vhost(desk.vhost)
        rabbit_server.import_definitions(desk.definitions)  # ``test_apply`` tests that it equals what is applied
        desk.apply(**PASSWORDS)
        yield desk


@pytest.fixture
async def desk(lasting_desk) -> Desk:
    """The desk of the module, with its topology and users restored, and empty queues."""
    lasting_desk.apply(**PASSWORDS)
    await empty_queues(lasting_desk.url(), sorted(str(each["name"]) for each in lasting_desk.definitions["queues"]))
    return lasting_desk


@pytest.fixture(autouse=True)
def _log_lines_are_no_answers() -> Iterator[None]:
    """Keep log lines out of standard output, which is for the output of commands."""
    style = structlog.get_config()
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    yield
    structlog.configure(**style)


Until = Callable[[Callable[[], Awaitable[bool]]], Awaitable[None]]


@pytest.fixture
def until() -> Until:
    """Wait until a condition holds; fail after a minute."""

    async def until(condition: Callable[[], Awaitable[bool]]) -> None:
        async with asyncio.timeout(60):
            while not await condition():  # noqa: ASYNC110 - the condition has no event to wait for
                await asyncio.sleep(0.05)

    return until
