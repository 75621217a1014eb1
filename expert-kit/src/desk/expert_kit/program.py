"""The consumer as a process that the kit starts, kills and restarts."""

import asyncio
import os
import re
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from desk.expert_kit.errors import NotPossibleError

MOST_LINES, LONGEST_LINE = 8, 300
_ERROR = re.compile(r"error|exception|refused|rejected|denied|fatal|panic|fail|invalid|warn", re.IGNORECASE)
_NOISE = re.compile(
    r"Task was destroyed|was never (retrieved|awaited)|Event loop is closed|Unclosed|GeneratorExit|CancelledError"
    r"|KeyboardInterrupt|ResourceWarning|Traceback \(most recent call last\)|During handling of the above"
    r"|direct cause of the following",
)
"""What a program prints while it is stopped, and the heads of stack traces."""
END_SECONDS = 10.0


class Program:
    """A command with an environment that connects it to the kit. Its output goes to ``log``."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self._command, self._environment, self.log = list(command), {**os.environ, **environment}, log
        self._process: subprocess.Popen[bytes] | None = None
        self._log_offset = 0

    def start(self) -> None:
        """Start it. Raises NotPossibleError."""
        self._log_offset = self.log_size()
        try:
            with self.log.open("ab") as log:
                self._process = subprocess.Popen(  # noqa: S603 - the command of the caller
                    self._command,
                    env=self._environment,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
        except OSError as error:
            raise NotPossibleError(f"{self._command[0]} cannot be started: {error.strerror}") from None

    @property
    def ended(self) -> int | None:
        """The exit code, if the process has ended by itself."""
        return self._process.poll() if self._process is not None else None

    async def kill(self) -> None:
        """Kill the process and its children, as a power failure would."""
        if self._process is None:
            return
        with suppress(ProcessLookupError):
            if hasattr(os, "killpg"):
                os.killpg(self._process.pid, signal.SIGKILL)
            else:  # Windows
                self._process.kill()
        await asyncio.to_thread(self._process.wait, END_SECONDS)
        self._process = None

    def log_size(self) -> int:
        """Return the size of its output so far, for :meth:`log_since`."""
        return self.log.stat().st_size if self.log.exists() else 0

    def log_since(self, size: int | None = None) -> list[str]:
        """Return the lines that explain a failure, of the output after ``size`` (default: since the last start)."""
        with self.log.open("rb") as log:
            log.seek(self._log_offset if size is None else size)
            return relevant(log.read().decode(errors="replace").splitlines())


def relevant(lines: Sequence[str]) -> list[str]:
    """Return the first lines about errors, or else the last ones; no stack traces, and no noise of a shutdown."""
    kept = [line for line in lines if line.strip() and not _NOISE.search(line)]
    errors = [line for line in kept if not line[0].isspace() and _ERROR.search(line)]
    shown = list(dict.fromkeys(errors))[:MOST_LINES] or kept[-MOST_LINES:]
    return [line[:LONGEST_LINE] for line in shown]
