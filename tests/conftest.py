"""Fixtures for what crosses services: a running desk."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from desk_process import RunningDesk


@pytest.fixture
def start_desk(tmp_path: Path) -> Iterator[Callable[..., RunningDesk]]:
    """Start desks; all of them are ended with the test."""
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
    """One desk for all tests that leave others' requests alone."""
    running = RunningDesk(tmp_path_factory.mktemp("desk") / "data")
    yield running
    if running.process.poll() is None:
        running.stop()
