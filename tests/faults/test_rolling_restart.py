"""Row 23: every replica of every service is restarted in turn under load, and nobody at the door notices."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from faults.cluster_service import ClusterService
from faults.invariant import settled
from faults.scale import FULL
from faults.traffic import Traffic
from support.embedded_desk import wait_for
from support.real_desk import SERVICES, RealDesk
from support.real_service import START_DEADLINE, Service

from desk.local.gateway_table import load_table
from desk.testing.gateway import GatewayServer, open_gateway

START = Path(__file__).parents[2] / "gateway" / "nginx" / "start"
REQUESTS, ROUNDS = (100_000, 3) if FULL else (1_500, 1)
PER_SECOND = 50
AT_ONCE = 8 if FULL else 3
"""Few at a time: a slow machine answers later then, not with time-outs, of which 24 at once bring two cores a few."""
NOTICED_SECONDS = 1.0
"""How long after its SIGTERM the cluster still sends peers to a replica."""
PATIENCE_SECONDS = 7200 if FULL else 600
DRAINING = ("--drain-seconds", "5", "--trusted-proxies", "127.0.0.1")

pytestmark = [pytest.mark.faults, pytest.mark.timeout(PATIENCE_SECONDS)]


Peers = dict[str, ClusterService]
OURS = tuple(name for name in SERVICES if name != "registry-simulator")
ADDRESSES = {"captcha": "CAPTCHA_URL", "registry-gateway": "REGISTRY_URL", "intake": "INTAKE_URL"}
"""The setting by which other services find one."""
ASKS = {
    "registry-gateway": ("captcha",),
    "intake": ("captcha", "registry-gateway"),
    "tracking": ("captcha", "registry-gateway", "intake"),
}
"""Whom a service asks within the cluster."""


@pytest.fixture
def peers(calm_desk: RealDesk) -> Iterator[Peers]:
    """Two replicas of each service, and one address for those of each that other services ask."""
    for name in OURS:
        calm_desk.replicate(name)
    asked = {name: ClusterService(calm_desk.loop, calm_desk.replicas[name]) for name in ADDRESSES}
    yield asked
    for each in asked.values():
        each.close()


@pytest.fixture
def doubled(calm_desk: RealDesk, peers: Peers) -> Iterator[RealDesk]:
    """The desk with two replicas of each service, which reach each other as in a cluster."""
    ours = [replica for name in OURS for replica in calm_desk.replicas[name]]
    for each in ours:
        each.arguments = DRAINING
        each.kill()
        each.start(**{ADDRESSES[name]: peers[name].url for name in ASKS.get(each.name, ())})
    wait_for(calm_desk.is_served, START_DEADLINE)
    yield calm_desk
    for each in ours:
        each.changed = True
        each.arguments = Service.arguments


@pytest.fixture
def gateway(doubled: RealDesk) -> Iterator[GatewayServer]:
    """The real gateway before them."""
    upstreams = {
        name: " ".join(f"127.0.0.1:{each.port}" for each in doubled.replicas[name])
        for name in {route.service for route in load_table().routes}
    }
    with open_gateway(START, upstreams, trusted_proxies="127.0.0.1") as running:
        yield running


def test_nobody_notices_that_everything_is_restarted(doubled: RealDesk, peers: Peers, gateway: GatewayServer):
    traffic = Traffic(doubled, gateway, PER_SECOND, AT_ONCE)
    traffic.start()
    try:
        rounds = 0
        while rounds < ROUNDS or traffic.number < REQUESTS:
            for each in (replica for name in OURS for replica in doubled.replicas[name]):
                _restart(each, peers.get(each.name))
            rounds += 1
    finally:
        traffic.stop()
    failed = {answer: number for answer, number in traffic.answers.items() if answer[1] >= 400}
    assert (failed, traffic.broken[:10]) == ({}, [])
    assert traffic.number >= REQUESTS
    assert len(doubled.ledger) > REQUESTS / 10
    assert settled(doubled) == []


def _restart(replica: Service, peer: ClusterService | None) -> None:
    before = replica.process.pid
    removing = threading.Timer(NOTICED_SECONDS, lambda: peer and peer.remove(replica))
    removing.start()
    replica.terminate()
    removing.join()
    replica.revive()
    wait_for(lambda: replica.answers("/health/ready"), START_DEADLINE)
    if peer is not None:
        peer.add(replica)
    assert replica.process.pid != before
