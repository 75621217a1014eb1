"""Two replicas of every service behind the real gateway, which a test restarts in turn as a cluster would."""

import threading
from pathlib import Path

from faults.cluster_service import ClusterService
from support.embedded_desk import wait_for
from support.real_desk import SERVICES
from support.real_service import START_DEADLINE, Service

START = Path(__file__).parents[2] / "gateway" / "nginx" / "start"
NOTICED_SECONDS = 1.0
"""Seconds after SIGTERM during which the cluster still sends peers to a replica."""
DRAINING = ("--drain-seconds", "5", "--trusted-proxies", "127.0.0.1")

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


def addresses_for(name: str, peers: Peers) -> dict[str, str]:
    """Return the settings with the addresses of the services that a service calls."""
    return {ADDRESSES[each]: peers[each].url for each in ASKS.get(name, ())}


def restart(replica: Service, peer: ClusterService | None, **settings: str) -> None:
    """Restart a replica once the cluster sends it nothing more; with ``settings``, if any are given."""
    before = replica.process.pid
    removing = threading.Timer(NOTICED_SECONDS, lambda: peer and peer.remove(replica))
    removing.start()
    replica.terminate()
    removing.join()
    if settings:
        replica.start(**settings)
    else:
        replica.revive()
    wait_for(lambda: replica.answers("/health/ready"), START_DEADLINE)
    if peer is not None:
        peer.add(replica)
    assert replica.process.pid != before
