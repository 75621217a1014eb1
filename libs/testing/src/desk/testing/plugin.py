"""Pytest fixtures for real servers, each started when first used, and a report of what each test run used."""

import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TypeVar

import pytest

from desk.testing.errors import ServersError
from desk.testing.server import Server

if TYPE_CHECKING:  # each server's module is imported with its first use, so that other test runs start quickly
    from desk.testing.clamav import ClamServer
    from desk.testing.postgres import PostgresServer
    from desk.testing.rabbit import RabbitServer
    from desk.testing.redis import RedisServer
    from desk.testing.s3 import S3Server

S = TypeVar("S", bound=Server)

MISSING_SERVERS = "DESK_TEST_MISSING_SERVERS"
"""``skip`` skips the tests whose server is not installed; otherwise they fail."""
REPORT = pytest.StashKey[dict[str, str]]()


@pytest.fixture(scope="session")
def postgres_server(pytestconfig: pytest.Config) -> "Iterator[PostgresServer]":
    """A PostgreSQL for the whole run; give each test a database of its own."""
    from desk.testing.postgres import open_postgres  # noqa: PLC0415

    yield from _opened(pytestconfig, "PostgreSQL", open_postgres)


@pytest.fixture(scope="session")
def rabbit_server(pytestconfig: pytest.Config) -> "Iterator[RabbitServer]":
    """A RabbitMQ for the whole run; give each test a virtual host of its own."""
    from desk.testing.rabbit import open_rabbit  # noqa: PLC0415

    yield from _opened(pytestconfig, "RabbitMQ", open_rabbit)


@pytest.fixture(scope="session")
def redis_server(pytestconfig: pytest.Config) -> "Iterator[RedisServer]":
    """A Redis for the whole run; give each test keys of its own."""
    from desk.testing.redis import open_redis  # noqa: PLC0415

    yield from _opened(pytestconfig, "Redis", open_redis)


@pytest.fixture(scope="session")
def s3_server(pytestconfig: pytest.Config) -> "Iterator[S3Server]":
    """An S3 server for the whole run; give each test a bucket of its own."""
    from desk.testing.s3 import open_s3  # noqa: PLC0415

    yield from _opened(pytestconfig, "S3", open_s3)


@pytest.fixture(scope="session")
def clamav_server(pytestconfig: pytest.Config) -> "Iterator[ClamServer]":
    """A ClamAV daemon for the whole run."""
    from desk.testing.clamav import open_clamav  # noqa: PLC0415

    yield from _opened(pytestconfig, "ClamAV", open_clamav)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Name the server that each kind of test ran against."""
    report = config.stash.get(REPORT, {})
    if report:
        terminalreporter.section("servers")
        for kind, line in report.items():
            terminalreporter.line(f"{kind}: {line}")


def _opened(config: pytest.Config, kind: str, open_server: Callable[[], S]) -> Iterator[S]:
    report = config.stash.setdefault(REPORT, {})
    try:
        server = open_server()
    except ServersError as error:
        report[kind] = str(error)
        if os.environ.get(MISSING_SERVERS) == "skip":
            pytest.skip(str(error))
        pytest.fail(str(error), pytrace=False)
    report[kind] = f"{server.how} ({'; '.join(server.notes)})" if server.notes else server.how
    with server:
        yield server
