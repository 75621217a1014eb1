"""One process of one service, which a test can kill, stop and restart."""

import signal
from pathlib import Path

import psutil
from support.embedded_desk import answers, polling, wait_for
from support.fork_server import ForkServer

from desk.testing.ports import free_port

START_DEADLINE = 120.0
STOP_SECONDS = 60.0


def setting(service: str, name: str) -> str:
    """Return the environment variable of a setting."""
    return f"DESK_{service.upper().replace('-', '_')}_{name}"


class Service:
    """One process of one service. After a restart it has the same port and log file."""

    arguments: tuple[str, ...] = ("--drain-seconds", "0", "--trusted-proxies", "127.0.0.1")
    """Command-line arguments. Most experiments do not need the drain time; a gateway sends the callers' addresses."""

    def __init__(self, name: str, fork_server: ForkServer, folder: Path) -> None:
        self.name = name
        self.port = free_port()
        self.health_port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.health_url = f"http://127.0.0.1:{self.health_port}"
        self.environment: dict[str, str] = {}
        self.log = folder / f"{name}-{self.port}.log"
        self.changed = False
        self._fork_server = fork_server
        self._order: tuple[str, dict[str, str]] = ("", {})
        self._process: psutil.Process | None = None

    @property
    def process(self) -> psutil.Process:
        """The process, for sending signals."""
        assert self._process is not None
        return self._process

    def start(self, prelude: str = "", **settings: str) -> None:
        """Start the process. ``prelude`` is Python code that runs first; ``settings`` override the usual ones."""
        self.changed = bool(prelude or settings)
        program = f"{prelude}\nfrom desk.{self.name.replace('-', '_')}.main import main\nmain()"
        changed = {setting(self.name, name): value for name, value in settings.items()}
        self._order = (program, self.environment | changed)
        self._begin()
        wait_for(self._is_up, START_DEADLINE)

    def _begin(self) -> None:
        program, environment = self._order
        arguments = ["serve", "--port", str(self.port), "--health-port", str(self.health_port), *self.arguments]
        pid = self._fork_server.start(program, arguments, environment, self.log)
        try:
            self._process = psutil.Process(pid)
        except psutil.NoSuchProcess:  # it has already killed itself
            self._process = None

    def _is_up(self) -> bool:
        assert self.runs, f"{self.name} ended: {self.log.read_text()[-2000:]}"
        return self.answers("/health/live")

    @property
    def runs(self) -> bool:
        return self._process is not None and self._process.is_running()

    def answers(self, path: str) -> bool:
        """Return whether a GET at the port for health succeeds."""
        return answers(f"{self.health_url}{path}")

    def metric(self, name: str, **labels: str) -> float:
        """Return the value of a metric, summed over those of its labels that are not given."""
        lines = polling.get(f"{self.health_url}/metrics").text.splitlines()
        found = [line for line in lines if line.partition(" ")[0].partition("{")[0] == name]
        for label, value in labels.items():
            found = [line for line in found if f'{label}="{value}"' in line]
        assert found, f"{name} {labels} is no metric of this service"
        return sum(float(line.rpartition(" ")[2]) for line in found)

    def kill(self) -> None:
        """Kill the process, as a power cut would."""
        self._end(signal.SIGKILL)

    def terminate(self) -> None:
        """Terminate the process, as an orchestrator would."""
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None and self._process.is_running():
            self._process.send_signal(how)
            psutil.wait_procs([self._process], timeout=STOP_SECONDS)
            assert not self._process.is_running(), f"{self.name} did not end"

    def restart(self, prelude: str = "", **settings: str) -> None:
        """Terminate the process and start it again."""
        self.terminate()
        self.start(prelude, **settings)

    def revive(self) -> None:
        """Start the process again with the same settings if it has ended, as an orchestrator would."""
        if not self.runs:
            self._begin()
            wait_for(lambda: not self.runs or self.answers("/health/live"), START_DEADLINE)
