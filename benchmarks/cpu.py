"""CPU time of the whole desk per submission, per look-up on the tracking page and per answer, by process.

All parts are real: PostgreSQL, RabbitMQ, Redis, S3, an SMTP server, and one process of each service. CPU time (user and
system) is read before and after, once everything that an operation causes has ended. Each submission has an applicant,
a mobile, an email and a security code of its own. The driver is not counted, and neither is the office.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import psutil

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from support.embedded_desk import wait_for
from support.public_gateway import RealApplicant
from support.real_desk import RealDesk

from desk.testing.postgres import open_postgres
from desk.testing.rabbit import open_rabbit
from desk.testing.redis import open_redis
from desk.testing.s3 import open_s3

PARALLEL = 8
SETTLE_SECONDS = 120.0
Figures = Mapping[str, float]
_COUNT_CASES = "SELECT count(*) FROM \"case\" WHERE submitted_at >= date_trunc('second', $1::timestamptz)"
T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Prepared:
    """An identified applicant with the form that is going to be sent."""

    applicant: RealApplicant
    mobile: str
    email: str


def cpu_seconds(process: psutil.Process) -> float:
    """Return the CPU time of a process, of its children and of those that have ended."""
    total = 0.0
    for each in (process, *process.children(recursive=True)):
        try:
            times = each.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
        if each == process:
            total += times.children_user + times.children_system
    return total


class Meter:
    """Reads the CPU time of every process of a desk."""

    def __init__(self, desk: RealDesk) -> None:
        self._processes = {name: [each.process for each in replicas] for name, replicas in desk.replicas.items()}
        for name, server in (
            ("postgres", desk.postgres),
            ("rabbit", desk.rabbit),
            ("redis", desk.redis),
            ("s3", desk.s3),
        ):
            if server.pid is not None:
                self._processes[name] = [psutil.Process(server.pid)]

    def read(self) -> dict[str, float]:
        """Return the CPU seconds until now, by process; those of a service's replicas are added up."""
        return {name: sum(map(cpu_seconds, several)) for name, several in self._processes.items()}

    @contextmanager
    def measured(self, operations: int, idle: Figures, figures: dict[str, float]) -> Iterator[None]:
        """Add to ``figures`` the CPU-ms per operation of what runs inside, without what the processes use when idle."""
        before, began = self.read(), time.monotonic()
        yield
        seconds = time.monotonic() - began
        figures |= {
            name: max(0.0, (after - before[name] - idle.get(name, 0.0) * seconds) * 1000 / operations)
            for name, after in self.read().items()
        }

    def idle(self, seconds: float) -> Figures:
        """Return the CPU seconds per second of each process while nothing happens."""
        before = self.read()
        time.sleep(seconds)
        return {name: (after - before[name]) / seconds for name, after in self.read().items()}


class Bench:
    """The three operations on one desk."""

    def __init__(self, desk: RealDesk, first: int = 0) -> None:
        """``first`` is the number of the first applicant's mobile and email, for a second run on the same desk."""
        self.desk, self.meter, self._first = desk, Meter(desk), first
        self._since = datetime.now(UTC)
        self.idle: Figures = {}

    def run(self, count: int) -> dict[str, Figures]:
        """Return the CPU-ms per operation by process, for each operation."""
        warm = self._prepare(20, 0)
        self._submit(warm)
        self._settle(20)
        self.idle = self.meter.idle(10)
        people = self._prepare(count, 20)
        results: dict[str, dict[str, float]] = {}
        with self.meter.measured(count, self.idle, results.setdefault("submission", {})):
            codes = self._submit(people)
            self._settle(20 + count)
        with self.meter.measured(count, self.idle, results.setdefault("look-up", {})):
            self._together(lambda each: self._track(*each), list(zip(people, codes, strict=True)))
        with self.meter.measured(count, self.idle, results.setdefault("answer", {})):
            for code in codes:
                self.desk.province.report(code, "case-answered", 1, text="روادید شما صادر شده است.")
            self._settle_answers(count)
        return dict(results)

    def _prepare(self, count: int, first: int) -> list[Prepared]:
        def prepare(number: int) -> Prepared:
            applicant = RealApplicant(self.desk, number % 190)
            applicant.identify()
            number += self._first
            return Prepared(applicant, f"0912{number:07}", f"applicant{number}@example.com")

        return self._together(prepare, range(first, first + count))

    def _submit(self, people: Sequence[Prepared]) -> list[str]:
        def submit(each: Prepared) -> str:
            return each.applicant.submit_with_token(each.applicant.form(mobile=each.mobile, email=each.email))

        return self._together(submit, people)

    def _track(self, each: Prepared, code: str) -> None:
        each.applicant.track(code).raise_for_status()

    def _settle(self, requests: int) -> None:
        """Wait until every request has its case, its two messages and its event, and every outbox is empty."""

        def settled() -> bool:
            [(cases,)] = self.desk.rows("tracking", _COUNT_CASES, self._since)
            return bool(cases == requests) and self._sent(2 * requests) and self._published()

        wait_for(settled, SETTLE_SECONDS)

    def _settle_answers(self, count: int) -> None:
        def settled() -> bool:
            [(answered,)] = self.desk.rows("tracking", f"{_COUNT_CASES} AND state = 'answered'", self._since)
            return bool(answered == count) and self._sent(2 * (20 + count) + 2 * count) and self._published()

        wait_for(settled, SETTLE_SECONDS)

    def _sent(self, messages: int) -> bool:
        [(sent,)] = self.desk.rows(
            "notifier",
            "SELECT count(*) FROM message"
            " WHERE created_at >= $1 AND (delivered_at IS NOT NULL OR handed_over_at IS NOT NULL)",
            self._since,
        )
        return bool(sent >= messages)

    def _published(self) -> bool:
        waiting = (
            self.desk.rows(name, "SELECT count(*) FROM outbox WHERE sent_at IS NULL") for name in ("intake", "tracking")
        )
        return all(found == [(0,)] for found in waiting)

    @staticmethod
    def _together(work: Callable[[T], R], items: Sequence[T]) -> list[R]:
        with ThreadPoolExecutor(PARALLEL) as threads:
            return list(threads.map(work, items))


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="CPU-ms per submission, look-up and answer, by process.")
    parser.add_argument("--count", type=int, default=150, help="operations of each kind (default: %(default)s)")
    options = parser.parse_args()
    with ExitStack() as stack, tempfile.TemporaryDirectory() as folder:
        servers = [stack.enter_context(each()) for each in (open_postgres, open_rabbit, open_redis, open_s3)]
        desk = RealDesk(Path(folder), *servers)
        stack.callback(desk.close)
        results = Bench(desk).run(options.count)
    names = list(dict.fromkeys(name for figures in results.values() for name in figures))
    sys.stdout.write("CPU-ms".ljust(20) + "".join(kind.rjust(12) for kind in results) + "\n")
    for name in names:
        sys.stdout.write(name.ljust(20) + "".join(f"{results[kind].get(name, 0):12.2f}" for kind in results) + "\n")
    sums = {kind: sum(figures.values()) for kind, figures in results.items()}
    sys.stdout.write("sum".ljust(20) + "".join(f"{sums[kind]:12.2f}" for kind in results) + "\n")


if __name__ == "__main__":
    main()
