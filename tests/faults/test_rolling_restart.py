"""Row 23: every replica of every service is restarted in turn under load, and no client notices."""

import pytest
from faults.invariant import settled
from faults.rolling import OURS, Peers, restart
from faults.scale import FULL
from faults.traffic import Traffic
from support.real_desk import RealDesk

from desk.testing.gateway import GatewayServer

REQUESTS, ROUNDS = (100_000, 3) if FULL else (1_500, 1)
PER_SECOND = 50
PARALLEL = 8 if FULL else 3
"""Few at a time: a slow machine then answers late but in time; 24 at a time would cause time-outs on two cores."""
DEADLINE_SECONDS = 7200 if FULL else 600

pytestmark = [pytest.mark.faults, pytest.mark.timeout(DEADLINE_SECONDS)]


def test_a_rolling_restart_of_every_service_is_not_noticed(doubled: RealDesk, peers: Peers, gateway: GatewayServer):
    traffic = Traffic(doubled, gateway, PER_SECOND, PARALLEL)
    traffic.start()
    try:
        rounds = 0
        while rounds < ROUNDS or traffic.number < REQUESTS:
            for each in (replica for name in OURS for replica in doubled.replicas[name]):
                restart(each, peers.get(each.name))
            rounds += 1
    finally:
        traffic.stop()
    failed = {answer: number for answer, number in traffic.answers.items() if answer[1] >= 400}
    assert (failed, traffic.broken[:10]) == ({}, [])
    assert traffic.number >= REQUESTS
    assert len(doubled.ledger) > REQUESTS / 10
    assert settled(doubled) == []
