"""Row 33: the vault's and the index keys are rotated under load, in the order of ADR 0074, and no client notices."""

import os
import subprocess
import sys

import pytest
from faults.invariant import settled
from faults.rolling import Peers, addresses_for, restart
from faults.traffic import Traffic
from support.real_desk import RealDesk
from support.real_service import setting

from desk.chassis.crypto import new_secret
from desk.testing.gateway import GatewayServer

ROTATED = ("intake", "tracking", "notifier")
LEDGER = "registry-gateway"
"""Its former index key stays, since the ledger's hashes cannot be made again."""
PER_SECOND, PARALLEL = 20, 2
COMMAND = (sys.executable, "-c", "from desk.database.operation import keys; keys()")

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900)]


def test_keys_are_rotated_under_load_and_the_old_ones_removed(doubled: RealDesk, peers: Peers, gateway: GatewayServer):
    keys = {name: Keys(doubled, name) for name in (LEDGER, *ROTATED)}
    before = doubled.submit(1)
    traffic = Traffic(doubled, gateway, PER_SECOND, PARALLEL)
    traffic.start()
    try:
        for step in (Keys.add_last, Keys.put_first):
            for name, each in keys.items():
                deploy(doubled, peers, name, step(each))
        assert "key k1" in run_command("status", keys)
        report = run_command("rotate", keys)
        assert "cannot be read" not in report
        run_command("rotate", keys)  # what was written or locked during the first one
        for name in ROTATED:
            deploy(doubled, peers, name, keys[name].remove_old())
        during = doubled.ledger[-1]
    finally:
        traffic.stop()
    failed = {answer: number for answer, number in traffic.answers.items() if answer[1] >= 400}
    assert (failed, traffic.broken[:10]) == ({}, [])
    assert settled(doubled) == []
    status = run_command("status", {name: keys[name] for name in ROTATED})
    assert "key k1" not in status
    assert "unknown" not in status
    assert doubled.applicant(1).track(before.code).status_code == 200
    assert during.code != before.code


class Keys:
    """The keys of a service during a rotation."""

    def __init__(self, desk: RealDesk, name: str) -> None:
        self._desk, self.name = desk, name
        environment = desk[name].environment
        self._vault, self._index = (environment[setting(name, each)] for each in ("VAULT_KEYS", "INDEX_KEY"))
        self._new_vault, self._new_index = f"k2:{new_secret()}", new_secret()

    def add_last(self) -> dict[str, str]:
        return self._set(f"{self._vault},{self._new_vault}", f"{self._index},{self._new_index}")

    def put_first(self) -> dict[str, str]:
        return self._set(f"{self._new_vault},{self._vault}", f"{self._new_index},{self._index}")

    def remove_old(self) -> dict[str, str]:
        return self._set(self._new_vault, self._new_index)

    def _set(self, vault: str, index: str) -> dict[str, str]:
        """Keep the keys for later starts too: what is stored needs them."""
        settings = {"VAULT_KEYS": vault, "INDEX_KEY": index}
        for each in self._desk.replicas[self.name]:
            each.environment |= {setting(self.name, word): value for word, value in settings.items()}
        return settings

    @property
    def environment(self) -> dict[str, str]:
        return self._desk[self.name].environment


def deploy(desk: RealDesk, peers: Peers, name: str, settings: dict[str, str]) -> None:
    """Restart the replicas of a service in turn, with other keys."""
    for replica in desk.replicas[name]:
        restart(replica, peers.get(name), **addresses_for(name, peers), **settings)


def run_command(command: str, keys: dict[str, Keys]) -> str:
    """Run desk-keys with the environment of these services, and return what it printed."""
    environment = {name: value for each in keys.values() for name, value in each.environment.items()}
    ours = {name: value for name, value in os.environ.items() if not name.startswith("DESK_")}
    done = subprocess.run(  # noqa: S603 - our own command
        [*COMMAND, command], env=ours | environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0 or "left" in done.stderr, done.stderr
    return done.stdout + done.stderr
