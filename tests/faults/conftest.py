"""Fixtures for experiments with faults; every server and service works again afterwards."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.real_desk import RealDesk


@pytest.fixture
def deaths_file(tmp_path: Path) -> Path:
    """A file with the number of times that processes still have to kill themselves."""
    return tmp_path / "deaths"


@pytest.fixture
def restored_servers(clean_desk: RealDesk) -> Iterator[None]:
    """Let every server run again after the test."""
    yield
    for server in (clean_desk.postgres, clean_desk.rabbit, clean_desk.redis, clean_desk.s3):
        if server.machine.exit_report() is None:
            server.resume()
        else:
            server.start()
