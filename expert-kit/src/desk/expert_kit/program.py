"""The consumer as a process that the kit starts, kills and restarts."""

import asyncio
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from desk.expert_kit.errors import NotPossibleError

LAST_LINES = 8
END_SECONDS = 10.0


class Program:
    """A command with an environment that connects it to the kit. Its output goes to ``log``."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self._command, self._environment, self.log = list(command), {**os.environ, **environment}, log
        self._process: subprocess.Popen[bytes] | None = None
        self._log_offset = 0

    def start(self) -> None:
        """Start it. Raises NotPossibleError."""
        self._log_offset = self.log.stat().st_size if self.log.exists() else 0
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

    def log_tail(self) -> str:
        """Return the last lines of its output since the start."""
        with self.log.open("rb") as log:
            log.seek(self._log_offset)
            lines = log.read().decode(errors="replace").splitlines()
        return "\n".join(lines[-LAST_LINES:])
