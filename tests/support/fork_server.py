"""Starts service processes quickly: imports their modules once and forks a child for each process.

A service needs seconds to import its libraries, and the fault tests start dozens of processes. Each
child has its own environment and log, and ends when the fork server ends. For measurements of memory and of start times
each child can be a new interpreter, which shares nothing with the others.
"""

import ctypes
import importlib
import json
import os
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

SERVICES = ("captcha", "registry_simulator", "registry_gateway", "intake", "tracking", "notifier")
_END_WITH_PARENT = 1
_NEW_INTERPRETERS = "--new-interpreters"


class ForkServer:
    """The parent of all processes of a desk."""

    def __init__(self, log: Path, *, new_interpreters: bool = False) -> None:
        self._asking = threading.Lock()
        options = [_NEW_INTERPRETERS] if new_interpreters else []
        with log.open("ab") as said:
            self._process = subprocess.Popen(  # noqa: S603 - this very file
                [sys.executable, __file__, *options],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=said,
                text=True,
            )

    def start(self, program: str, arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> int:
        """Run a Python program with these arguments; return its process id."""
        order = {"program": program, "arguments": list(arguments), "environment": dict(environment), "log": str(log)}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with self._asking:
            self._process.stdin.write(json.dumps(order) + "\n")
            self._process.stdin.flush()
            return int(self._process.stdout.readline())

    def close(self) -> None:
        self._process.communicate(timeout=30)


def _serve(run_child: Callable[[str, list[str], dict[str, str]], None]) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel reaps
    for line in sys.stdin:
        order = json.loads(line)
        child = os.fork()
        if child == 0:
            _run_child(run_child, **order)
        print(child, flush=True)  # noqa: T201 - the response


def _run_child(
    run: Callable[[str, list[str], dict[str, str]], None],
    program: str,
    arguments: list[str],
    environment: dict[str, str],
    log: str,
) -> None:
    status = 1
    try:
        ctypes.CDLL(None).prctl(_END_WITH_PARENT, signal.SIGKILL)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        said, nothing = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT), os.open(os.devnull, os.O_RDONLY)
        for ours, theirs in ((nothing, 0), (said, 1), (said, 2)):
            os.dup2(ours, theirs)
        run(program, arguments, environment)
        status = 0
    except SystemExit as end:
        if isinstance(end.code, str):
            sys.stderr.write(f"{end.code}\n")
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001 - the process ends either way
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def _run_here(program: str, arguments: list[str], environment: dict[str, str]) -> None:
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["service", *arguments]
    exec(compile(program, "<service>", "exec"), {"__name__": "__main__"})  # noqa: S102 - the tests' own text


def _run_in_new_interpreter(program: str, arguments: list[str], environment: dict[str, str]) -> None:
    os.execve(sys.executable, [sys.executable, "-c", program, *arguments], environment)  # noqa: S606 - no shell


def _import_services() -> None:
    for service in SERVICES:
        for module in ("main", "app"):
            importlib.import_module(f"desk.{service}.{module}")


if __name__ == "__main__":
    if _NEW_INTERPRETERS in sys.argv:
        _serve(_run_in_new_interpreter)
    else:
        _import_services()
        _serve(_run_here)
