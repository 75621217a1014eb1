"""Row 23: every replica of every service is restarted in turn under load, and no client notices."""

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
PARALLEL = 8 if FULL else 3
"""Few at a time: a slow machine then answers late but in time; 24 at a time would cause time-outs on two cores."""
NOTICED_SECONDS = 1.0
"""Seconds after SIGTERM during which the cluster still sends peers to a replica."""
DEADLINE_SECONDS = 7200 if FULL else 600
DRAINING = ("--drain-seconds", "5", "--trusted-proxies", "127.0.0.1")

pytestmark = [pytest.mark.faults, pytest.mark.timeout(DEADLINE_SECONDS)]


Peers = dict[str, ClusterService]
OURS = tuple(name for name in SERVICES if name != "registry-simulator")
ADDRESSES = {"captcha": "CAPTCHA_URL", "registry-gateway": "REGISTRY_URL", "intake": "INTAKE_URL"}
"""The setting with the address of each service."""
ASKS = {
    "registry-gateway": ("captcha",),
    "intake": ("captcha", "registry-gateway"),
    "tracking": ("captcha", "registry-gateway", "intake"),
}
"""The services that each service calls within the cluster."""


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
        each.start(**{ADDRESSES[name]: peers[name].url for name in ASKS.get(each.name, ())})
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


def test_a_rolling_restart_of_every_service_is_not_noticed(doubled: RealDesk, peers: Peers, gateway: GatewayServer):
    traffic = Traffic(doubled, gateway, PER_SECOND, PARALLEL)
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
