"""Fixtures for the whole system in containers: one desk for the run, an applicant and a province."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from compose.containers import Containers
from support.published_desk import applicant, province  # noqa: F401 - fixtures

HERE = Path(__file__).parent
UP_SECONDS = pytest.StashKey[float]()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print how long it took until everything was healthy; no test depends on it."""
    if (seconds := config.stash.get(UP_SECONDS, None)) is not None:
        terminalreporter.line(f"compose: everything was healthy {seconds:.0f} s after up")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test in this folder."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.compose)


@pytest.fixture(scope="session")
def containers(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[Containers]:
    """The whole system, from images that exist already. It is removed with its volumes after the run."""
    desk = Containers(tmp_path_factory.mktemp("compose"))
    try:
        pytestconfig.stash[UP_SECONDS] = desk.up()
        yield desk
    finally:
        desk.down()


@pytest.fixture(scope="session")
def published_desk(containers: Containers) -> Containers:
    return containers


@pytest.fixture(scope="session")
def ledger() -> list[str]:
    """Every tracking code that was shown in this run."""
    return []
