"""Submissions through intake compared with two limits in one run: a ratio is comparable on a busy machine.

The bare limit uses no framework; the named libraries are FastAPI, httpx, SQLAlchemy and joserfc without the desk. All
apps are called in this process, in turn, with equal bodies.
"""

import asyncio
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import httpx
import uvloop
from benchmarks import bare, named
from benchmarks.applicants import in_parallel
from benchmarks.figures import Asked, Figure, Part
from benchmarks.intake_app import Intake, running_intake
from benchmarks.meter import MS
from benchmarks.servers import Servers

ROUNDS = 5
PARALLEL = (1, 16)
NAMED, BARE = "the named libraries alone", "the bare limit"


def intake(servers: Servers, count: int) -> Part:
    """Compare ``count`` submissions of each app in each round."""
    part = Part("intake and its limits, in one process on PostgreSQL")
    for parallel in PARALLEL:
        name = f"bench-intake-{uuid.uuid4().hex[:8]}"
        url = servers.postgres.create_database(name, name, uuid.uuid4().hex)
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:  # as uvicorn runs intake
                part.figures += runner.run(_compare(url, count, parallel))
        finally:
            servers.postgres.drop_database(name)
    return part


@dataclass(frozen=True, slots=True)
class Rate:
    """Submissions per second, and the CPU-ms of each in this process with its client."""

    per_second: float
    cpu_ms: float


Round = Mapping[str, Rate]


async def _compare(url: str, count: int, parallel: int) -> list[Figure]:
    bare_app = await bare.on_postgres(url.replace("+asyncpg", ""))
    async with running_intake(url) as running:
        libraries = await named.on_store(url, running.public_key, running.captcha)
        apps: dict[str, Any] = {"intake": running.app, NAMED: libraries.app, BARE: bare_app}
        rounds: list[Round] = [
            {name: await rate_of(running, app, count, parallel) for name, app in apps.items()}
            for _ in range(ROUNDS + 1)
        ]
        await libraries.close()
    await bare_app.close()
    return _figures(rounds[1:], f"{parallel} at a time")  # the first round warms up


def _figures(rounds: Sequence[Round], at_a_time: str) -> list[Figure]:
    def ratio(limit: str) -> float:
        return median(each["intake"].per_second / each[limit].per_second for each in rounds)

    names = list(rounds[0])
    rates = {name: median(each[name].per_second for each in rounds) for name in names}
    costs = {name: median(each[name].cpu_ms for each in rounds) for name in names}
    return [
        *(Figure(f"{name}, {at_a_time}", rate, "per second") for name, rate in rates.items()),
        *(Figure(f"{name}, {at_a_time}", cost, "CPU-ms") for name, cost in costs.items()),
        Figure(f"rate of intake ÷ {NAMED}, {at_a_time}", ratio(NAMED), "", Asked(0.6, at_least=True)),
        Figure(f"rate of intake ÷ {BARE}, {at_a_time}", ratio(BARE), ""),
    ]


async def rate_of(running: Intake, app: Any, count: int, parallel: int) -> Rate:
    """Call an app with ``count`` submissions in this process, ``parallel`` at a time."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as client:

        async def submit(_: int) -> None:
            (await client.send(running.request())).raise_for_status()

        began, spent = time.perf_counter(), time.process_time()
        await in_parallel(submit, range(count), parallel)
        return Rate(count / (time.perf_counter() - began), (time.process_time() - spent) * MS / count)
