"""The console of Qom on real servers, as a program of its own."""

import json
import os
import subprocess
import sys
import uuid
from pathlib import Path

from support.embedded_desk import answers, wait_for
from support.real_desk import RealDesk

from desk.console.encryption import new_key
from desk.testing.event_keys import event_key_pair
from desk.testing.ports import free_port

CONSOLE = [sys.executable, "-m", "desk.console.main"]


class ConsoleOfQom:
    """The console of one province, as a program of its own."""

    def __init__(self, desk: RealDesk, desk_url: str, folder: Path) -> None:
        self.url = desk.postgres.create_database(
            f"console_{uuid.uuid4().hex[:8]}", "console", "console's own long word"
        )
        reach = {
            "broker_url": desk.broker.url("province.qom"),
            "private_key": desk.office_signing_keys["qom"][0],
            "event_private_keys": [event_key_pair("qom")[0]],
        }
        self.environment = os.environ | {
            "DESK_CONSOLE_DATABASE_URL": self.url,
            "DESK_CONSOLE_KEYS": new_key(),
            "DESK_CONSOLE_DESK_URL": desk_url,
            "DESK_CONSOLE_PROVINCES": json.dumps({"qom": reach}),
            "DESK_CONSOLE_SECURE_COOKIES": "false",
            "DESK_CONSOLE_SECOND_FACTOR": "false",
        }
        self.log = folder / "console.log"
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self._run("migrate")
        created = self._run("create-account", "expert", "--province", "qom", "--name", "نرگس باران‌دشت")
        self.password = created.split()[-1]

    def _run(self, *arguments: str) -> str:
        command = [*CONSOLE, *arguments]
        return subprocess.run(command, env=self.environment, check=True, capture_output=True, text=True).stdout  # noqa: S603

    def start(self) -> "subprocess.Popen[bytes]":
        with self.log.open("wb") as log:
            command = [*CONSOLE, "serve", "--port", str(self.port)]
            started = subprocess.Popen(command, env=self.environment, stdout=log, stderr=log)  # noqa: S603 - our own command
        wait_for(lambda: answers(f"{self.address}/health/ready"), 60)
        return started
