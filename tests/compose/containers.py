"""The whole system in containers, with its own name, ports, passwords and volumes."""

import json
import os
import subprocess
import sys
import time
import uuid
from pathlib import Path
from typing import Any

import httpx
import yaml
from dotenv import dotenv_values

from desk.testing.ports import free_port

ROOT = Path(__file__).parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
LASTING = tuple(name for name, service in COMPOSE.items() if service["restart"] != "no")
"""Every container except those that end after their job."""
WATCHING = ("PROMETHEUS_PORT", "GRAFANA_PORT")
UP_SECONDS = 300
COMMAND_SECONDS = 120
TEST_NETWORK = "10.207"
"""Another one than that of `make up`, which may run at the same time."""


class Containers:
    """A desk started by Compose from images that exist already; it shares nothing with other desks."""

    def __init__(self, folder: Path) -> None:
        self.project = f"desk-test-{uuid.uuid4().hex[:8]}"
        self.observability = False
        """Whether Compose also gets deploy/observability."""
        self._environment_file = folder / "environment"
        self._settings = {
            name: str(free_port())
            for name in (
                "DESK_PORT",
                "DESK_TLS_PORT",
                "RABBITMQ_PORT",
                "RABBITMQ_MANAGEMENT_PORT",
                "MAIL_PORT",
                *WATCHING,
            )
        }
        self._settings["DESK_NETWORK"] = TEST_NETWORK
        # The tests send many requests of few people.
        people = ("REQUESTS_PER_IDENTITY", "REQUESTS_PER_MOBILE", "REQUESTS_PER_EMAIL", "UPLOADS_PER_IDENTITY")
        self._settings |= dict.fromkeys((*people, "REQUESTS_PER_SOURCE"), "1000/day")
        run(sys.executable, str(ROOT / "scripts" / "make-env"), str(self._environment_file))
        self.secrets = {name: value or "" for name, value in dotenv_values(self._environment_file).items()}

    # start and stop

    def up(self) -> float:
        """Start everything and wait until it is healthy; return how many seconds it took."""
        since = time.monotonic()
        try:
            self.compose(
                "up", "--no-build", "--detach", "--wait", "--wait-timeout", str(UP_SECONDS), seconds=UP_SECONDS * 2
            )
        except AssertionError as error:
            raise AssertionError(
                f"{error}\n{self.compose('ps', '--all')}\n{self.compose('logs', '--tail', '8')}"
            ) from error
        return time.monotonic() - since

    def down(self) -> None:
        """Remove everything, including volumes."""
        self.observability = True
        self.compose("down", "--volumes", "--timeout", "5")

    def compose(self, *arguments: str, seconds: float = COMMAND_SECONDS) -> str:
        """Run a Compose command on this desk and return its output."""
        place = ("--project-name", self.project, "--env-file", str(self._environment_file))
        script = str(ROOT / "scripts" / "compose")
        settings = self._settings | {"OBSERVABILITY": "1" if self.observability else ""}
        return run(script, *place, *arguments, environment=settings, seconds=seconds)

    # single containers

    def running(self) -> set[str]:
        """List the services whose containers run."""
        return set(self.compose("ps", "--services", "--status", "running").split())

    def kill(self, service: str) -> None:
        """Kill a container, as a crash would."""
        run("docker", "kill", self._container(service))

    def start(self, service: str) -> None:
        """Start a killed container again, with the same data."""
        run("docker", "start", self._container(service))

    def inspect(self, service: str) -> dict[str, Any]:
        """Return Docker's description of a container."""
        found: list[dict[str, Any]] = json.loads(run("docker", "inspect", self._container(service)))
        return found[0]

    def is_well(self, service: str) -> bool:
        """Return whether a container runs and, if it has a health check, is healthy."""
        state = self.inspect(service)["State"]
        return bool(state["Running"]) and state.get("Health", {}).get("Status", "healthy") == "healthy"

    def _container(self, service: str) -> str:
        found = self.compose("ps", "--all", "--quiet", service).split()
        assert len(found) == 1, f"{service} has {len(found)} containers"
        return found[0]

    # access from outside

    @property
    def url(self) -> str:
        """The address of the gateway."""
        return f"http://127.0.0.1:{self.port('DESK_PORT')}"

    def event_keys(self, key: str) -> tuple[str, str]:
        """Return an office's private key for events, and the desk's public one."""
        return (
            json.loads(self.secrets["OFFICE_EVENT_PRIVATE_KEYS"])[key],
            json.loads(self.secrets["EVENT_PUBLIC_KEYS"])["tracking"],
        )

    def port(self, name: str) -> int:
        """Return one of the published ports by its variable."""
        return int(self._settings[name])

    def province_url(self, key: str, place: str | None = None) -> str:
        """Return the broker's address for a province: from this machine, or from where ``place`` can be resolved."""
        user = f"province.{key}"
        password = json.loads(self.secrets["BROKER_PASSWORDS"])[user]
        place = place or f"127.0.0.1:{self.port('RABBITMQ_PORT')}"
        return f"amqp://{user}:{password}@{place}/%2F"

    def answer_to(self, captcha_id: str) -> str:
        """Return the digits of a picture from the store of the captcha service."""
        return self.compose(
            "exec", "--no-TTY", "redis", "redis-cli", "--raw", "HGET", f"captcha:{captcha_id}", "answer"
        ).strip()

    def dead_letters(self) -> dict[str, int]:
        """Count dead letters by queue; empty queues are left out."""
        url = f"http://127.0.0.1:{self.port('RABBITMQ_MANAGEMENT_PORT')}/api/queues"
        answer = httpx.get(
            url, auth=("administrator", self.secrets["RABBITMQ_PASSWORD"]), timeout=30
        ).raise_for_status()
        queues = {queue["name"]: queue.get("messages", 0) for queue in answer.json()}
        return {name: number for name, number in queues.items() if name.endswith(".dead") and number}

    def mails_to(self, address: str) -> list[str]:
        """List the subjects of the caught emails to an address."""
        answer = httpx.get(f"http://127.0.0.1:{self.port('MAIL_PORT')}/api/v1/messages", timeout=30).raise_for_status()
        receivers = [(mail["Subject"], [each["Address"] for each in mail["To"]]) for mail in answer.json()["messages"]]
        return [subject for subject, addresses in receivers if address in addresses]


def run(*command: str, environment: dict[str, str] | None = None, seconds: float = COMMAND_SECONDS) -> str:
    """Run a command from the root of the project and return its output."""
    done = subprocess.run(  # noqa: S603 - our own scripts and the Docker client
        command,
        env=os.environ | (environment or {}),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert done.returncode == 0, f"{' '.join(command)} ended with {done.returncode}: {done.stderr[-2000:]}"
    return done.stdout
