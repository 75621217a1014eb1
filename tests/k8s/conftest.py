"""Fixtures for the desk in a cluster: one for the run, an applicant and a province."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from k8s.cluster import Cluster
from support.published_desk import applicant, province  # noqa: F401 - fixtures

HERE = Path(__file__).parent
UP_SECONDS = pytest.StashKey[float]()
NO_CLUSTER = "KUBECONFIG names no cluster: start one and name its file, see deploy/k8s/README.md"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print how long it took until everything was ready; no test depends on it."""
    if (seconds := config.stash.get(UP_SECONDS, None)) is not None:
        terminalreporter.line(f"k8s: everything was ready {seconds:.0f} s after the overlay was applied")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test in this folder."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.k8s)
            item.add_marker(pytest.mark.timeout(1800))


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[Cluster]:
    """The desk in the cluster of ``KUBECONFIG``; ``K8S_LOAD`` is the command that loads a tar file into its node."""
    if not os.environ.get("KUBECONFIG"):
        pytest.fail(NO_CLUSTER, pytrace=False)
    desk = Cluster(tmp_path_factory.mktemp("k8s"))
    if load := os.environ.get("K8S_LOAD"):
        desk.load_images(load)
    try:
        pytestconfig.stash[UP_SECONDS] = desk.up()
        yield desk
    finally:
        desk.remove()


@pytest.fixture(scope="session")
def published_desk(cluster: Cluster) -> Cluster:
    return cluster
