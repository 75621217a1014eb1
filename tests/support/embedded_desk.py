"""The embedded desk as a process, on a free port and with its own data folder."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import httpx

CAPTCHA_ANSWER = "12345"
START_DEADLINE = 120.0

T = TypeVar("T")

polling = httpx.Client(timeout=5, limits=httpx.Limits(max_keepalive_connections=0))
"""``httpx.get`` loads the certificates of all authorities with each call, which costs more than the call."""


class RunningDesk:
    """A desk started by its command line, and a client for it."""

    def __init__(
        self,
        folder: Path,
        *arguments: str,
        port: int | None = None,
        prelude: str = "",
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """``prelude`` is Python code that runs in the process before the desk starts, for example to break it."""
        self.folder = folder
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._log = folder.parent / f"{folder.name}.log"
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603 - our own command
                desk_command(
                    "--port", str(self.port), "--data-dir", str(folder), "--verbose", *arguments, prelude=prelude
                ),
                env=os.environ | dict(environment or {}),
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self.client = httpx.Client(base_url=self.url, timeout=20)
        wait_for(self._answers, START_DEADLINE)

    def _answers(self) -> bool:
        assert self.process.poll() is None, f"the desk ended: {self.log}"
        with contextlib.suppress(httpx.TransportError):
            return self.client.get("/api/catalog").is_success
        return False

    @property
    def log(self) -> str:
        """Everything the process has printed."""
        return self._log.read_text(encoding="utf-8")

    def rest(self) -> None:
        """Suspend the process: a desk that is not used polls its stores all the same."""
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it run again after :meth:`rest`."""
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """Kill the process, as a power cut would."""
        self.process.kill()
        self.process.wait()
        self.client.close()

    def stop(self) -> int:
        """Stop the process as Ctrl-C would; return the exit code."""
        self.resume()
        self.process.terminate()
        code = self.process.wait(timeout=30)
        self.client.close()
        return code


def desk_command(*arguments: str, prelude: str = "") -> list[str]:
    """The command line that starts a desk with a fixed security code."""
    program = f"{prelude}\nfrom desk.local.main import main\nmain()"
    return [sys.executable, "-c", program, "up", "--captcha-answer", CAPTCHA_ANSWER, *arguments]


def answers(url: str) -> bool:
    """Return whether a GET succeeds."""
    try:
        return polling.get(url).is_success
    except httpx.TransportError:
        return False


def free_port() -> int:
    """Return a port that no process listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(condition: Callable[[], T], deadline: float = 60.0, pause: float = 0.05) -> T:
    """Wait until the condition returns something true, and return that. Fails at the deadline."""
    end = time.monotonic() + deadline
    while not (found := condition()):
        assert time.monotonic() < end, "the condition did not come true in time"
        time.sleep(pause)
    return found
