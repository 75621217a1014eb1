"""Reads CPU time and memory of processes from the operating system."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import psutil
from benchmarks.figures import Costs

MS = 1000
MB = 1024 * 1024


class Meter:
    """Reads the CPU time and the memory of named processes, each with its children; replicas are added up."""

    def __init__(self, pids: Mapping[str, Sequence[int]]) -> None:
        self._processes = {name: [psutil.Process(pid) for pid in several] for name, several in pids.items()}
        self._idle: Costs = {}

    def learn_idle(self, seconds: float) -> Costs:
        """Return the CPU seconds per second of each process while nothing happens; `measured` subtracts them."""
        before, began = self._read(), time.monotonic()
        time.sleep(seconds)
        passed = time.monotonic() - began
        self._idle = {name: (after - before[name]) / passed for name, after in self._read().items()}
        return self._idle

    @contextmanager
    def measured(self, operations: int, costs: dict[str, float]) -> Iterator[None]:
        """Add to ``costs`` the CPU-ms per operation by process of what happens inside."""
        before, began = self._read(), time.monotonic()
        yield
        seconds = time.monotonic() - began
        costs |= {
            name: max(0.0, after - before[name] - self._idle.get(name, 0.0) * seconds) * MS / operations
            for name, after in self._read().items()
        }

    def memory(self) -> Costs:
        """Return the unique memory (USS) of each process in MB."""
        return {
            name: sum(_uss(each) for process in replicas for each in _tree(process))
            for name, replicas in self._processes.items()
        }

    def _read(self) -> dict[str, float]:
        return {name: sum(map(_cpu_seconds, replicas)) for name, replicas in self._processes.items()}


def _tree(process: psutil.Process) -> list[psutil.Process]:
    return [process, *process.children(recursive=True)]


def _cpu_seconds(process: psutil.Process) -> float:
    """Return the CPU time of a process, of its children and of its children that have ended."""
    ended = process.cpu_times()
    total = float(ended.children_user + ended.children_system)
    for each in _tree(process):
        try:
            times = each.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
    return total


def _uss(process: psutil.Process) -> float:
    try:
        return float(process.memory_full_info().uss) / MB
    except psutil.NoSuchProcess:
        return 0.0
