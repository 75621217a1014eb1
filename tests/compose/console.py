"""The console of a province in separate containers, started by its own Compose file."""

import json
import secrets
from pathlib import Path

import httpx
import yaml
from compose.containers import ROOT, UP_SECONDS, Containers, run

from desk.chassis.crypto import new_key_pair
from desk.console.encryption import new_key
from desk.testing.ports import free_port


class ConsoleContainers:
    """A console that uses only the broker and the public gateway of the desk."""

    def __init__(self, desk: Containers, key: str, folder: Path) -> None:
        self.metrics_token = secrets.token_urlsafe(16)
        self._province, self._project, port = key, f"{desk.project}-console", free_port()
        self.url = f"http://127.0.0.1:{port}"
        reach: dict[str, object] = {
            "broker_url": desk.province_url(key, "rabbitmq:5672"),
            "private_key": new_key_pair()[0],
        }
        reach["event_private_keys"] = [json.loads(desk.secrets["OFFICE_EVENT_PRIVATE_KEYS"])[key]]
        self._settings = {
            "CONSOLE": "1",
            "CONSOLE_PORT": str(port),
            "CONSOLE_DB_PASSWORD": secrets.token_urlsafe(16),
            "CONSOLE_KEYS": new_key(),
            "CONSOLE_DESK_URL": "http://gateway:8080",
            "CONSOLE_PROVINCES": json.dumps({key: reach}),
            "DESK_CONSOLE_METRICS_TOKEN": self.metrics_token,
        }
        self._overrides = folder / "overrides.yml"
        self._overrides.write_text(yaml.safe_dump(_overrides_for(desk.project)), encoding="utf-8")

    def up(self) -> None:
        """Start it from images that exist already, and wait until it is healthy."""
        waiting = ("--wait", "--wait-timeout", str(UP_SECONDS))
        self._compose("up", "--no-build", "--detach", *waiting, seconds=UP_SECONDS * 2)

    def down(self) -> None:
        """Remove it with its volume."""
        self._compose("down", "--volumes", "--timeout", "5")

    def restart(self) -> None:
        """Stop all containers, and start them with the same data."""
        self._compose("kill")
        self.up()

    def create_account(self, username: str) -> str:
        """Create an account as an operator does, and return its first password."""
        command = ("create-account", username, "--province", self._province, "--name", "نرگس باران‌دشت")
        return self._compose("run", "--rm", "--no-TTY", "migrate", *command).split()[-1]

    def metrics(self) -> list[str]:
        """Return the lines of its metrics, using the token."""
        bearer = {"Authorization": f"Bearer {self.metrics_token}"}
        return httpx.get(f"{self.url}/metrics", headers=bearer, timeout=30).raise_for_status().text.splitlines()

    def _compose(self, *arguments: str, seconds: float = 120) -> str:
        place = ("--file", str(self._overrides), "--project-name", self._project)
        return run(str(ROOT / "scripts" / "compose"), *place, *arguments, environment=self._settings, seconds=seconds)


def _overrides_for(project: str) -> dict[str, object]:
    """Return the overrides for this machine: the desk's public networks, and no TLS."""
    networks = {name: {"external": True, "name": f"{project}_{name}"} for name in ("gateway-public", "rabbitmq-public")}
    plain = {"DESK_CONSOLE_SECURE_COOKIES": "false", "DESK_CONSOLE_SECOND_FACTOR": "false"}
    return {
        "services": {"console": {"networks": ["default", *networks], "environment": plain}},
        "networks": networks,
    }
