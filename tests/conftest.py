"""Fixtures for tests that use a running desk."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.embedded_desk import RunningDesk

from desk.local.gateway_table import load_table
from desk.testing.gateway import open_gateway

if TYPE_CHECKING:
    from support.real_desk import RealDesk

    from desk.testing.postgres import PostgresServer
    from desk.testing.rabbit import RabbitServer
    from desk.testing.redis import RedisServer
    from desk.testing.s3 import S3Server


GATEWAY_START = Path(__file__).parents[1] / "gateway" / "nginx" / "start"


@pytest.fixture
def start_desk(tmp_path: Path) -> Iterator[Callable[..., RunningDesk]]:
    """Start desks. All of them end with the test."""
    started: list[RunningDesk] = []

    def start(*arguments: str, folder: str = "desk", prelude: str = "") -> RunningDesk:
        started.append(RunningDesk(tmp_path / folder, *arguments, prelude=prelude))
        return started[-1]

    yield start
    for desk in started:
        if desk.process.poll() is None:
            desk.kill()


@pytest.fixture(scope="session")
def resting_desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDesk]:
    """The desk of :func:`desk`, which rests while no test uses it."""
    running = RunningDesk(tmp_path_factory.mktemp("desk") / "data")
    running.rest()
    yield running
    if running.process.poll() is None:
        running.stop()


@pytest.fixture
def desk(resting_desk: RunningDesk) -> Iterator[RunningDesk]:
    """One desk for all tests that do not change the requests of other tests."""
    resting_desk.resume()
    yield resting_desk
    resting_desk.rest()


@pytest.fixture(scope="session")
def real_desk(
    tmp_path_factory: pytest.TempPathFactory,
    postgres_server: "PostgresServer",
    rabbit_server: "RabbitServer",
    redis_server: "RedisServer",
    s3_server: "S3Server",
) -> "Iterator[RealDesk]":
    """One desk of separate services on real servers, for all tests that repair what they break."""
    from support.real_desk import RealDesk  # slow to import, and only needed here

    running = RealDesk(tmp_path_factory.mktemp("real"), postgres_server, rabbit_server, redis_server, s3_server)
    yield running
    running.close()


@pytest.fixture
def public_url(clean_desk: "RealDesk") -> Iterator[str]:
    """The address of a real gateway to all services, which a province uses."""
    services = {route.service: clean_desk[route.service].url.removeprefix("http://") for route in load_table().routes}
    with open_gateway(GATEWAY_START, services) as gateway:
        yield gateway.url


@pytest.fixture
def clean_desk(real_desk: "RealDesk") -> "Iterator[RealDesk]":
    """The real desk, healthy and without requests. It is repaired after the test."""
    real_desk.heal()
    real_desk.clear_requests()
    yield real_desk
    real_desk.heal()
