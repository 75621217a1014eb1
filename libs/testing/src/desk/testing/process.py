"""Runs a server's program in a folder of its own and ends it with everything it started."""

import atexit
import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from functools import cache
from pathlib import Path
from queue import SimpleQueue
from typing import Self

import psutil

from desk.testing.errors import NotInstalledError

STOP_SECONDS = 20.0
POLL_SECONDS = 0.02
LOG_LINES = 15
KEPT_VARIABLES = ("LANG", "LC_ALL", "PATH", "TMPDIR")


class LocalProcess:
    """A program on this machine, with its children and with helpers that start before it and end after it."""

    ours = True

    def __init__(
        self,
        command: Sequence[str],
        *,
        folder: Path,
        environment: Mapping[str, str] | None = None,
        account: str | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
        abort_signal: signal.Signals = signal.SIGKILL,
        helpers: Sequence[Self] = (),
    ) -> None:
        """Prepare the program.

        `account` is the user it runs as. `abort_signal` ends it when its data is no longer wanted, be it by `close`
        or because the tests died, and writes nothing outside its folder.
        """
        self.folder = folder
        self.log = folder / "log"
        self._command = [*_end_with_parent(abort_signal), *command]
        # Nothing else is inherited: the settings of a server on this machine are not meant for this one.
        self._environment = clean_environment(folder) | dict(environment or {})
        self._account = account
        self._stop_signal = stop_signal
        self._abort_signal = abort_signal
        self._helpers = tuple(helpers)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def start(self) -> None:
        if self._process and self._process.poll() is None:
            raise RuntimeError(f"{self._command[-1]} runs already; stop or kill it first")
        for helper in self._helpers:
            if helper.exit_report():
                helper.start()
        atexit.register(self.close)
        self._process = _popen_in_lasting_thread(self._popen)

    def pause(self) -> None:
        for process in self._tree_frozen():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.suspend()

    def resume(self) -> None:
        for process in reversed(self._tree()):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.resume()

    def kill(self) -> None:
        self._end(self._tree_frozen())

    def stop(self) -> None:
        self._end_by(self._stop_signal)
        for helper in self._helpers:
            helper.stop()

    def close(self) -> None:
        atexit.unregister(self.close)
        self._end_by(self._abort_signal)
        for helper in self._helpers:
            helper.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def exit_report(self) -> str | None:
        if self._process is None:
            return "it was not started"
        if self._process.poll() is None:
            return None
        return f"it ended with status {self._process.returncode}: {self.log_tail()}"

    def log_tail(self) -> str:
        """Return the last lines of the log."""
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return " | ".join(line.strip() for line in lines[-LOG_LINES:] if line.strip())

    def _popen(self) -> subprocess.Popen[bytes]:
        user = pwd.getpwnam(self._account) if self._account else None
        with self.log.open("ab") as log:
            return subprocess.Popen(  # noqa: S603  # the programs and arguments are this package's own
                self._command,
                cwd=self.folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for pytest, which then stops the servers in order
                user=user and user.pw_uid,
                group=user and user.pw_gid,
                extra_groups=[] if user else None,
            )

    def _tree(self) -> list[psutil.Process]:
        if self._process is None or self._process.poll() is not None:
            return []
        try:
            parent = psutil.Process(self._process.pid)
            return [parent, *parent.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def _tree_frozen(self) -> list[psutil.Process]:
        # The parent is frozen before its children are counted, so that it starts no more of them.
        tree = self._tree()
        if tree:
            tree[0].suspend()
        return self._tree()

    def _end_by(self, chosen: signal.Signals) -> None:
        tree = self._tree()
        if tree:
            self.resume()
            tree[0].send_signal(chosen)
            _wait_for_end(tree)
            self._end(tree)

    def _end(self, tree: list[psutil.Process]) -> None:
        for process in tree:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        if self._process:
            self._process.wait()
        _wait_for_end(tree)


def new_folder(kind: str, *, account: str | None = None) -> Path:
    """Return a new temporary folder for a server's data, owned by `account` if given."""
    folder = Path(tempfile.mkdtemp(prefix=f"desk-{kind}-"))
    if account:
        shutil.chown(folder, user=account)
    return folder


def find_program(name: str, *elsewhere: str) -> str:
    """Return the path of a program, looked for in PATH and then by absolute glob patterns. Raises NotInstalledError."""
    found = shutil.which(name)
    for pattern in elsewhere:
        # The last of several versions, which sort well enough as text.
        found = found or max((str(path) for path in Path("/").glob(pattern.lstrip("/"))), default=None)
    if found is None:
        raise NotInstalledError(f"no {name} on this machine")
    return found


def clean_environment(folder: Path) -> dict[str, str]:
    """Return the few variables that a server inherits, with `folder` as its home."""
    kept = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
    return kept | {"HOME": str(folder)}


def _end_with_parent(chosen: signal.Signals) -> list[str]:
    # The kernel sends the signal when the tests die without a word (SIGKILL, a full machine). Without setpriv, as on
    # macOS, only the orderly ends are covered.
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", chosen.name.removeprefix("SIG"), "--"] if setpriv else []


def _wait_for_end(tree: list[psutil.Process]) -> None:
    # Grandchildren become the system's to reap, which may take it a while: a zombie has ended for our purposes.
    deadline = time.monotonic() + STOP_SECONDS
    while any(_lives(process) for process in tree) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


_Order = Callable[[], subprocess.Popen[bytes]]


class _Starter(threading.Thread):
    """Starts programs from a thread that lives as long as the tests.

    The kernel takes the death of the thread that started a process for the death of its parent, and a test may
    restart a server from a short-lived thread.
    """

    def __init__(self) -> None:
        super().__init__(name="server-starter", daemon=True)
        self.orders: SimpleQueue[tuple[_Order, Future[subprocess.Popen[bytes]]]] = SimpleQueue()
        self.start()

    def run(self) -> None:
        while True:
            order, answer = self.orders.get()
            try:
                answer.set_result(order())
            except Exception as error:  # noqa: BLE001  # handed to the thread that waits for the answer
                answer.set_exception(error)


@cache
def _starter() -> _Starter:
    return _Starter()


def _popen_in_lasting_thread(order: _Order) -> subprocess.Popen[bytes]:
    answer: Future[subprocess.Popen[bytes]] = Future()
    _starter().orders.put((order, answer))
    return answer.result()
