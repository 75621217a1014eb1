"""Scaling out: ``python -m benchmarks.scale`` measures one, two, four and again one replica of each service.

On a machine with few cores the rate cannot grow with the replicas. What is shown instead is that nothing but CPU time
limits it: the CPU-ms of an operation with more replicas, the part of the database's sessions that wait for a lock, and
the time of the statements that all requests execute on the same rows or under the same locks.
"""

import argparse
import asyncio
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
from redis import Redis

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from benchmarks import operations
from benchmarks.bench_desk import BenchDesk, open_bench_desk
from benchmarks.figures import Operation
from benchmarks.servers import open_servers

from desk.security.logs import configure_logging

REPLICAS = (1, 2, 4, 1)
"""The last run shows how much the machine itself has changed since the first."""
SAMPLE_SECONDS = 0.02
HOT = {
    "ledger: append": "WITH%UPDATE ledger_head%INSERT INTO lookup%",
    "ledger: read the head": "SELECT%FROM ledger_head%",
    "audit: lock the head": "%FROM audit_head%FOR UPDATE%",
    "notifier: lock request and recipients": "%pg_advisory_xact_lock%",
    "notifier: claim": "WITH due AS%",
    "outbox: claim": "%FROM outbox%FOR UPDATE SKIP LOCKED%",
    "commit": "COMMIT%",
}
"""Statements that many requests execute on the same rows or under the same locks."""


@dataclass
class Sessions:
    """Samples of the database's sessions that execute something."""

    active: int = 0
    waiting: Counter[str] = field(default_factory=Counter)
    """Waits by kind: ``Lock`` is for a row, a transaction or an advisory lock."""
    statements: Counter[str] = field(default_factory=Counter)
    """The statements that waited for such a lock."""

    def share(self, kind: str) -> float:
        """Return the part of the samples that waited for something."""
        return self.waiting[kind] / self.active if self.active else 0.0


async def _sample(dsn: str, stop: threading.Event, into: Sessions) -> None:
    connection = await asyncpg.connect(dsn)
    query = """SELECT wait_event_type, left(query, 100) FROM pg_stat_activity
               WHERE state = 'active' AND backend_type = 'client backend' AND pid <> pg_backend_pid()"""
    while not stop.wait(SAMPLE_SECONDS):
        for kind, statement in await connection.fetch(query):
            into.active += 1
            into.waiting[kind or "CPU"] += 1
            if kind == "Lock":
                into.statements[" ".join(statement.split())] += 1
    await connection.close()


@contextmanager
def sampled(dsn: str) -> Iterator[Sessions]:
    """Sample the sessions of a server while something runs."""
    stop, sessions = threading.Event(), Sessions()
    thread = threading.Thread(target=lambda: asyncio.run(_sample(dsn, stop, sessions)))
    thread.start()
    yield sessions
    stop.set()
    thread.join()


def hot_statements(dsn: str) -> dict[str, tuple[int, float, float]]:
    """Return the calls, the mean and the longest ms of each of :data:`HOT` since the last call; forget them."""

    async def read() -> dict[str, tuple[int, float, float]]:
        connection = await asyncpg.connect(dsn)
        await connection.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
        query = """SELECT sum(calls)::bigint, sum(total_exec_time) / sum(calls), max(max_exec_time)
                   FROM pg_stat_statements WHERE query LIKE $1"""
        found = {name: (await connection.fetch(query, pattern))[0] for name, pattern in HOT.items()}
        await connection.execute("SELECT pg_stat_statements_reset()")
        await connection.close()
        return {name: (row[0], row[1], row[2]) for name, row in found.items() if row[0]}

    return asyncio.run(read())


def redis_scripts(url: str) -> tuple[int, float]:
    """Return how many scripts of the rate limits and codes ran, and their mean microseconds; forget them."""
    with Redis.from_url(url, decode_responses=True) as redis:
        stats = redis.info("commandstats").get("cmdstat_evalsha", {"calls": 0, "usec_per_call": 0.0})
        redis.config_resetstat()
    return stats["calls"], stats["usec_per_call"]


def _measured(bench: BenchDesk, count: int) -> tuple[Sequence[Operation], Sessions]:
    """Return the CPU-ms of each operation, and the samples of the whole run."""
    for _ in bench.desk.replicas["intake"]:
        operations.warm_up(bench)
    meter = bench.meter()
    meter.learn_idle(operations.IDLE_SECONDS)
    hot_statements(bench.servers.postgres.dsn)
    redis_scripts(bench.target.redis_url)
    with sampled(bench.servers.postgres.dsn) as sessions:
        identified = operations.identification(bench, meter)
        measured = operations.three_operations(bench, meter, count)
    return [identified, *measured], sessions


def _report(bench: BenchDesk, measured: Sequence[Operation], sessions: Sessions) -> Iterator[str]:
    for operation in measured:
        parts = ", ".join(f"{name} {value:.1f}" for name, value in operation.costs.items() if value >= 0.1)  # noqa: PLR2004 - less is noise
        yield f"  {operation.name:18}{operation.total:8.1f} CPU-ms ({parts})"
    waits = ", ".join(f"{kind} {sessions.share(kind):.1%}" for kind, _ in sessions.waiting.most_common())
    yield f"  {sessions.active} samples of active sessions: {waits}"
    for statement, number in sessions.statements.most_common(5):
        yield f"    waited for a lock {number} times: {statement}"
    for name, (calls, mean, longest) in hot_statements(bench.servers.postgres.dsn).items():
        yield f"  {name:40}{calls:8} calls, mean {mean:.2f} ms, longest {longest:.1f} ms"
    calls, mean = redis_scripts(bench.target.redis_url)
    yield f"  {'Redis: scripts, one at a time':40}{calls:8} calls, mean {mean:.0f} µs"


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    parser.add_argument("--count", type=int, default=250, help="operations of each kind (default: %(default)s)")
    options = parser.parse_args()
    configure_logging(level="ERROR")
    with open_servers(shared_preload_libraries="pg_stat_statements") as servers:
        for replicas in REPLICAS:
            with open_bench_desk(servers, replicas) as bench:
                measured, sessions = _measured(bench, options.count)
                lines = [f"replicas of each service: {replicas}", *_report(bench, measured, sessions)]
            sys.stdout.write("\n".join(lines) + "\n\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
