"""Fixtures for experiments with faults; every server and service works again afterwards."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from faults.cluster_service import ClusterService
from faults.rolling import ADDRESSES, DRAINING, OURS, START, Peers, addresses_for
from support.embedded_desk import wait_for
from support.real_desk import RealDesk
from support.real_service import START_DEADLINE, Service

from desk.local.gateway_table import load_table
from desk.testing.gateway import GatewayServer, open_gateway


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


@pytest.fixture
def peers(clean_desk: RealDesk) -> Iterator[Peers]:
    """Two replicas of each service, and one address for those that other services call."""
    for name in OURS:
        clean_desk.replicate(name)
    asked = {name: ClusterService(clean_desk.loop, clean_desk.replicas[name]) for name in ADDRESSES}
    yield asked
    for each in asked.values():
        each.close()


@pytest.fixture
def doubled(clean_desk: RealDesk, peers: Peers) -> Iterator[RealDesk]:
    """The desk with two replicas of each service, which reach each other as in a cluster."""
    ours = [replica for name in OURS for replica in clean_desk.replicas[name]]
    for each in ours:
        each.arguments = DRAINING
        each.kill()
        each.start(**addresses_for(each.name, peers))
    wait_for(clean_desk.is_served, START_DEADLINE)
    yield clean_desk
    for each in ours:
        each.changed = True
        each.arguments = Service.arguments


@pytest.fixture
def gateway(doubled: RealDesk) -> Iterator[GatewayServer]:
    """The real gateway for these replicas."""
    upstreams = {
        name: " ".join(f"127.0.0.1:{each.port}" for each in doubled.replicas[name])
        for name in {route.service for route in load_table().routes}
    }
    with open_gateway(START, upstreams, trusted_proxies="127.0.0.1") as running:
        yield running
