"""Scaling out: one, two and four replicas of each service with one set of stores.

On a machine with few cores the rate cannot grow with the replicas. What is shown instead is that nothing but CPU time
limits it: the CPU-ms of an operation with more replicas, the part of the database's sessions that wait for a lock, and
the time of the statements that all requests execute on the same rows or under the same locks.
"""

import argparse
import asyncio
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
from cpu import Bench, Figures
from redis import Redis
from support.embedded_desk import wait_for
from support.real_desk import RealDesk

from desk.testing.postgres import open_postgres
from desk.testing.rabbit import open_rabbit
from desk.testing.redis import open_redis
from desk.testing.s3 import open_s3

REPLICAS = (1, 2, 4, 1)
"""The last run shows how much the machine itself has changed since the first."""
WARM_UP = 60
"""Operations of each kind for each replica: a new process opens connections and prepares statements."""
SCALED = ("captcha", "registry-gateway", "intake", "tracking", "notifier")
SAMPLE_SECONDS = 0.02
SETTLE_SECONDS = 10.0
"""New replicas compare the stores and fill their pool of codes first."""
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
        found = {name: tuple(await connection.fetchrow(query, pattern)) for name, pattern in HOT.items()}
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


class Scaled(Bench):
    """Look-ups in the registry, then the operations of the other benchmark, with sampled sessions."""

    def run_sampled(self, count: int) -> tuple[Mapping[str, Figures], Sessions]:
        """Return the CPU-ms of each operation, and the samples of the whole run."""
        identity: dict[str, float] = {}
        self._prepare(20, 0)
        time.sleep(SETTLE_SECONDS)
        idle = self.meter.idle(SETTLE_SECONDS)
        with sampled(self.desk.postgres.dsn) as sessions:
            with self.meter.measured(count, idle, identity):
                self._prepare(count, 0)
            results = self.run(count)
        return {"identity": identity, **results}, sessions


def report(replicas: int, results: Mapping[str, Figures], sessions: Sessions, desk: RealDesk) -> Iterator[str]:
    """Yield the lines about one number of replicas."""
    yield f"\n{replicas} replicas of each service"
    for operation, figures in results.items():
        parts = ", ".join(f"{name} {value:.1f}" for name, value in figures.items() if value >= 0.1)  # noqa: PLR2004 - less is noise
        yield f"  {operation:12}{sum(figures.values()):8.1f} CPU-ms ({parts})"
    waits = ", ".join(f"{kind} {sessions.share(kind):.1%}" for kind, _ in sessions.waiting.most_common())
    yield f"  {sessions.active} samples of active sessions: {waits}"
    for statement, number in sessions.statements.most_common(5):
        yield f"    waited for a lock {number} times: {statement}"
    for name, (calls, mean, longest) in hot_statements(desk.postgres.dsn).items():
        yield f"  {name:40}{calls:8} calls, mean {mean:.2f} ms, longest {longest:.1f} ms"
    calls, mean = redis_scripts(desk.redis_url)
    yield f"  {'Redis: scripts, one at a time':40}{calls:8} calls, mean {mean:.0f} µs"


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        description="CPU-ms and waits for locks with one, two, four and again one replica."
    )
    parser.add_argument("--count", type=int, default=150, help="operations of each kind (default: %(default)s)")
    options = parser.parse_args()
    with ExitStack() as stack, tempfile.TemporaryDirectory() as folder:
        postgres = stack.enter_context(
            open_postgres(
                settings={"shared_preload_libraries": "pg_stat_statements", "pg_stat_statements.track": "top"}
            )
        )
        others = [stack.enter_context(each()) for each in (open_rabbit, open_redis, open_s3)]
        desk = RealDesk(Path(folder), postgres, *others)
        stack.callback(desk.close)
        for turn, replicas in enumerate(REPLICAS):
            if replicas == 1:
                desk.heal()
            for name in SCALED:
                for _ in range(replicas - len(desk.replicas[name])):
                    desk.replicate(name)
            wait_for(desk.is_served, 60)
            Bench(desk, 1_000_000 + 10_000 * turn).run(WARM_UP * replicas)
            hot_statements(desk.postgres.dsn)
            redis_scripts(desk.redis_url)
            results, sessions = Scaled(desk, 1000 * turn).run_sampled(options.count)
            for line in report(replicas, results, sessions, desk):
                sys.stdout.write(line + "\n")


if __name__ == "__main__":
    main()
