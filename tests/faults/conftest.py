"""Fixtures for experiments with faults; afterwards every server and service is well again."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.real_desk import RealDesk


@pytest.fixture
def deaths_file(tmp_path: Path) -> Path:
    """Where it is written how many more times processes shall kill themselves."""
    return tmp_path / "deaths"


@pytest.fixture
def mended_servers(calm_desk: RealDesk) -> Iterator[None]:
    """Whatever befell a server in the test, it runs afterwards."""
    yield
    for server in (calm_desk.postgres, calm_desk.rabbit, calm_desk.redis, calm_desk.s3):
        if server.machine.exit_report() is None:
            server.resume()
        else:
            server.start()
