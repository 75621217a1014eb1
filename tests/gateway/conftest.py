"""Fixtures for the real gateway: nginx with its own start script, and small services that record their requests."""

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from gateway.upstream import Upstream
from support.embedded_desk import RunningDesk

from desk.local.gateway_table import load_table
from desk.testing.gateway import GatewayServer, open_gateway

START = Path(__file__).parents[2] / "gateway" / "nginx" / "start"
SERVICES = sorted({route.service for route in load_table().routes})
TRUSTED = "127.0.0.1"

OpenGateway = Callable[..., GatewayServer]


@pytest.fixture(scope="session")
def upstreams() -> Iterator[dict[str, Upstream]]:
    """One small service in place of each real one, for all tests that leave them working."""
    running = {name: Upstream(name).start() for name in SERVICES}
    yield running
    for each in running.values():
        each.stop()


@pytest.fixture(scope="session")
def _gateway(upstreams: dict[str, Upstream]) -> Iterator[GatewayServer]:
    with open_gateway(
        START, {name: each.address for name, each in upstreams.items()}, trusted_proxies=TRUSTED
    ) as running:
        yield running


@pytest.fixture
def gateway(_gateway: GatewayServer, upstreams: dict[str, Upstream]) -> GatewayServer:
    """The gateway behind a trusted proxy, which is the test. No request has reached the services yet."""
    for each in upstreams.values():
        each.received.clear()
        each.misbehave = None
    return _gateway


@pytest.fixture
def start_gateway(upstreams: dict[str, Upstream]) -> Iterator[OpenGateway]:
    """Start gateways with their own settings. All of them end with the test."""
    opened: list[GatewayServer] = []

    def start(services: dict[str, str] | None = None, **settings: str) -> GatewayServer:
        addresses = {name: each.address for name, each in upstreams.items()} | (services or {})
        opened.append(open_gateway(START, addresses, **settings))
        return opened[-1]

    for each in upstreams.values():
        each.received.clear()
        each.misbehave = None
    yield start
    for each in opened:
        each.close()


class Sources:
    """Unused addresses, because requests are counted by address."""

    def __init__(self) -> None:
        self._number = 0

    def next(self) -> str:
        self._number += 1
        return f"10.9.{self._number // 250}.{self._number % 250 + 1}"


@pytest.fixture(scope="session")
def sources() -> Sources:
    return Sources()


@pytest.fixture
def client(gateway: GatewayServer, sources: Sources) -> Iterator[httpx.Client]:
    """A browser with its own address."""
    with httpx.Client(base_url=gateway.url, headers={"X-Forwarded-For": sources.next()}, trust_env=False) as browser:
        yield browser


@pytest.fixture(params=["nginx", "embedded"])
def base_url(request: pytest.FixtureRequest, client: httpx.Client, desk: RunningDesk) -> str:
    """Return the address of each of the two servers: nginx and the embedded desk."""
    return str(client.base_url if request.param == "nginx" else desk.client.base_url).rstrip("/")
