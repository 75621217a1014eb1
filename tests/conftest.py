"""Fixtures for tests that use a running desk."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.embedded_desk import RunningDesk

if TYPE_CHECKING:
    from support.real_desk import RealDesk

    from desk.testing.postgres import PostgresServer
    from desk.testing.rabbit import RabbitServer
    from desk.testing.redis import RedisServer
    from desk.testing.s3 import S3Server


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
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDesk]:
    """One desk for all tests that do not change the requests of other tests."""
    running = RunningDesk(tmp_path_factory.mktemp("desk") / "data")
    yield running
    if running.process.poll() is None:
        running.stop()


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
def clean_desk(real_desk: "RealDesk") -> "Iterator[RealDesk]":
    """The real desk, healthy and without requests. It is repaired after the test."""
    real_desk.heal()
    real_desk.clear_requests()
    yield real_desk
    real_desk.heal()
