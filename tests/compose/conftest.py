"""Fixtures for the whole system in containers: one desk for the run, a person before it and a province beside it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from compose.containers import Containers, PatientApplicant, Province

HERE = Path(__file__).parent
UP_SECONDS = pytest.StashKey[float]()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Tell how long it took until everything was healthy; how fast the machine is decides no test."""
    if (seconds := config.stash.get(UP_SECONDS, None)) is not None:
        terminalreporter.line(f"compose: everything was healthy {seconds:.0f} s after up")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of this folder."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.compose)


@pytest.fixture(scope="session")
def containers(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[Containers]:
    """The whole system, from images that are there; taken away afterwards with its volumes."""
    desk = Containers(tmp_path_factory.mktemp("compose"))
    try:
        pytestconfig.stash[UP_SECONDS] = desk.up()
        yield desk
    finally:
        desk.down()


@pytest.fixture(scope="session")
def province(containers: Containers) -> Iterator[Province]:
    """The province every request goes to unless a test says otherwise."""
    running = Province(containers, "isfahan")
    yield running
    running.close()


@pytest.fixture(scope="session")
def applicant(containers: Containers) -> Iterator[PatientApplicant]:
    """One person for all tests: who asks for a name too often is turned away."""
    someone = PatientApplicant(containers, 1)
    yield someone
    someone.client.close()


@pytest.fixture(scope="session")
def ledger() -> list[str]:
    """Every tracking code that was shown in this run."""
    return []
