"""What traces cost intake: submissions without them, with a twentieth of them, and with all of them, in one run.

All apps are called in this process, in turn, with equal bodies. Spans are encoded and sent in this process too; their
collector is another one.
"""

import asyncio
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from statistics import median

import uvloop
from benchmarks.figures import Asked, Figure, Part
from benchmarks.intake_app import running_intake
from benchmarks.intake_rates import Rate, rate_of
from benchmarks.servers import Servers

from desk.chassis.tracing import Tracing
from desk.chassis.tracing.export import exported
from desk.database import migrate

ROUNDS = 9
SAMPLES = {"without traces": None, "5 % of traces": 0.05, "all traces": 1.0}
_COLLECTOR = "from desk.testing.collector import Collector; print(Collector().url, flush=True); input()"


def trace_costs(servers: Servers, count: int) -> Part:
    """Compare ``count`` submissions with each sample in each round."""
    part = Part("intake with and without traces, in one process on PostgreSQL")
    names = {sample: f"bench-traces-{uuid.uuid4().hex[:8]}" for sample in SAMPLES}
    urls = {sample: servers.postgres.create_database(name, name, uuid.uuid4().hex) for sample, name in names.items()}
    try:
        with _collector() as address, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            part.figures += runner.run(_compare(urls, address, count))
    finally:
        for name in names.values():
            servers.postgres.drop_database(name)
    return part


@contextmanager
def _collector() -> Iterator[str]:
    program = [sys.executable, "-c", _COLLECTOR]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - ours
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        yield process.stdout.readline().strip()
        process.terminate()


def _tracing(address: str, sample: float | None) -> Tracing | None:
    return None if sample is None else exported("intake", "bench", address, sample)


async def _compare(urls: Mapping[str, str], address: str, count: int) -> list[Figure]:
    for url in urls.values():  # before any app starts, whose workers would wait for it
        await migrate("desk.intake", url)
    async with AsyncExitStack() as stack:
        apps = {
            name: await stack.enter_async_context(running_intake(urls[name], _tracing(address, sample)))
            for name, sample in SAMPLES.items()
        }
        rounds: list[dict[str, Rate]] = [
            {name: await rate_of(running, running.app, count, 1) for name, running in apps.items()}
            for _ in range(ROUNDS + 1)
        ]
    return _figures(rounds[1:])  # the first round warms up


def _figures(rounds: list[dict[str, Rate]]) -> list[Figure]:
    without, *traced = SAMPLES

    def ratio(name: str) -> float:
        return median(each[name].cpu_ms / each[without].cpu_ms for each in rounds)

    costs = {name: median(each[name].cpu_ms for each in rounds) for name in SAMPLES}
    return [
        *(Figure(f"a submission, {name}", cost, "CPU-ms") for name, cost in costs.items()),
        Figure(f"CPU with {traced[0]} ÷ {without}", ratio(traced[0]), "", Asked(1.05)),
        Figure(f"CPU with {traced[1]} ÷ {without}", ratio(traced[1]), ""),
    ]
