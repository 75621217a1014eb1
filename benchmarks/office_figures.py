"""Figures of offices with many cases: ``python -m benchmarks.office_figures`` fills tracking's database and measures.

A year of requests to 31 offices, evenly in time, 5 % of them still open or open to an objection; offices and subjects
have the sizes of a Zipf distribution with exponent 1/2. Working days are spread over one to fifteen. One in twenty is
objected to, one in five rated. Then the roll-up counts what is settled, and the route answers in this process, without
nginx and without the check of the assertion. Before each call twenty of the open cases change. The document of all
offices is made ahead meanwhile, as tracking does it, but every five seconds instead of every minute; that of eleven
months is not.
"""

import argparse
import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from math import ceil
from types import SimpleNamespace
from typing import Any, TypeAlias

import asyncpg
import httpx
from benchmarks.meter import Meter
from benchmarks.servers import DURABLE
from fastapi import FastAPI

from desk.chassis.app import PeriodicTask
from desk.database import Database
from desk.intake.store.catalog import load_catalog
from desk.iran.provinces import PROVINCES
from desk.testing.databases import migrated_database
from desk.testing.postgres import open_postgres
from desk.tracking.domain import Month
from desk.tracking.routes.figures import respond, router
from desk.tracking.service import FigureDocuments, Figures

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
CALLS = 60
KEEPING_SECONDS = 5.0
ROLL_UP_BATCH = 20_000
"""Forty times as many as the background task counts in a transaction, to save time."""
CHANGE = """
UPDATE "case" SET objections = 1 - objections WHERE tracking_code IN (
    SELECT tracking_code FROM "case" WHERE counted IS false AND submitted_at > now() - random() * interval '18 days'
    ORDER BY submitted_at LIMIT 20)
"""
FILL = """
INSERT INTO "case" (tracking_code, owner_index, province, state, seq, report_seq, submitted_at, due_at, since, overdue,
    request, subject, sub_subject, first_answer_days, objections, ratings, rating_sum)
SELECT lpad(i::text, 12, '0'), md5(i::text), offices[1 + floor(31 * power(random(), 2))::integer], state, 3, 2,
       submitted, submitted + interval '15 days', submitted + interval '14 days',
       (state = 'in_progress' AND i % 9 = 0)::integer, noise, keys[place][1], keys[place][2],
       CASE WHEN state <> 'in_progress' THEN 1 + floor(15 * power(random(), 2))::integer END,
       (i % 20 = 0)::integer, rated, rated * (1 + i % 5)
FROM (SELECT i, $4::timestamptz - interval '365 days' * (1 - i / $1::float8) AS submitted,
             1 + floor(array_length($3::text[], 1) * power(random(), 2))::integer AS place,
             CASE WHEN i > $1 * 0.98 THEN 'in_progress' WHEN i > $1 * 0.95 THEN 'answered' ELSE 'closed' END AS state,
             (i % 5 = 0 AND i < $1 * 0.98)::integer AS rated
      FROM generate_series(0::bigint, $1::bigint - 1) AS i) AS numbered,
     (SELECT $2::text[] AS offices, $3::text[] AS keys) AS names,
     (SELECT string_agg(sha512(n::text::bytea), ''::bytea) AS noise FROM generate_series(1, 19) AS n) AS noises
"""
"""Parameters: the number of cases, the offices, pairs of subject and sub-subject, and now."""


@dataclass(frozen=True, slots=True)
class Anyone:
    """Admits every caller as headquarters or as an office, which the assertion names."""

    async def client_of(self, assertion: str, _source: str) -> str:
        """Return the assertion."""
        return assertion


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=1_000_000)
    options = parser.parse_args()
    with open_postgres(settings=DURABLE) as postgres:
        url = migrated_database(postgres, "desk.tracking")
        asyncio.run(_measure(url, options.cases, Meter({"postgres": [postgres.pid or 0]})))


async def _measure(url: str, cases: int, meter: Meter) -> None:
    await _fill(url, cases)
    database = Database(url, statement_seconds=None)
    context: Any = SimpleNamespace(clock=lambda: datetime.now(UTC))
    figures = Figures(database, context)
    began = time.monotonic()
    counted = 0
    while more := await figures.count_settled(ROLL_UP_BATCH):
        counted += more
    print(f"roll-up: {counted} cases in {time.monotonic() - began:.0f} s")
    await _vacuum(url)
    app = FastAPI()
    app.include_router(router)
    documents = FigureDocuments(figures, respond)
    app.state.services = SimpleNamespace(figures=figures, figure_documents=documents, assertions=Anyone())
    connection = await _connect(url)
    eleven = {"from": str(Month.of(datetime.now(UTC)).plus(-10))}
    await documents.keep()
    keeping = PeriodicTask(documents.keep, KEEPING_SECONDS)
    running = asyncio.create_task(keeping.run())
    for caller, query in (
        ("headquarters", {}),
        ("headquarters", eleven),
        ("headquarters", {"office": "tehran"}),
        ("isfahan", {}),
    ):
        costs: dict[str, float] = {}
        with meter.measured(CALLS, costs):
            await _call(app, caller, query, connection)
        print(f"CPU of PostgreSQL {costs['postgres']:.0f} ms a call, with the changes before it")
    keeping.finish()
    await running
    await connection.close()
    await database.close()


async def _call(app: FastAPI, caller: str, query: dict[str, str], connection: Connection) -> None:
    transport = httpx.ASGITransport(app)
    times, size = [], 0
    async with httpx.AsyncClient(transport=transport, base_url="http://tracking") as client:
        for _ in range(CALLS):
            await connection.execute(CHANGE)
            began, cpu = time.monotonic(), time.process_time()
            headers = {"Authorization": f"Bearer {caller}"}
            response = await client.get("/api/office/figures", params=query, headers=headers)
            size = len(response.raise_for_status().content)
            times.append(((time.monotonic() - began) * 1000, (time.process_time() - cpu) * 1000))
    first = times[0]
    wall, cpu_times = (sorted(each) for each in zip(*times, strict=True))
    middle, high = CALLS // 2, ceil(CALLS * 0.95) - 1
    print(
        f"{caller} {query or ''}: first {first[0]:.0f} ms (CPU {first[1]:.0f}), "
        f"median {wall[middle]:.0f} ms, p95 {wall[high]:.0f} ms, "
        f"CPU of tracking {cpu_times[middle]:.0f} ms, {size / 1000:.0f} kB"
    )


async def _fill(url: str, cases: int) -> None:
    pairs = [[subject.key, each.key] for subject in load_catalog().subjects for each in subject.sub_subjects]
    connection = await _connect(url)
    offices = [each.key for each in PROVINCES]
    await connection.execute(FILL, cases, offices, pairs, datetime.now(UTC), timeout=3600)
    await connection.close()
    await _vacuum(url)


async def _vacuum(url: str) -> None:
    connection = await _connect(url)
    await connection.execute("VACUUM ANALYZE", timeout=3600)
    await connection.close()


async def _connect(url: str) -> Connection:
    return await asyncpg.connect(url.replace("+asyncpg", ""))


if __name__ == "__main__":
    main()
