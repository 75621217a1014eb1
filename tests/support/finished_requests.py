"""Fills the databases of a running desk with finished requests.

PostgreSQL itself makes the rows, from ``generate_series``. Only the rows of hash chains, each of which contains the
hash of the row before it, are computed here and copied. A million requests take some minutes.

What is as in a desk that has worked: the number of rows of each kind, the length of every encrypted column (measured,
with a text of 300 letters), that these columns do not compress, keyed hashes without order, one to five requests of
each applicant, which are spread over all the time, and what pruning has left of the events. Every chain verifies.

What is not: no encrypted column can be decrypted, so a filled request can be neither shown nor reported on, and its
hashes have a key that no service has. Tracking codes have no check digit. Files have rows and no objects. Each request
was answered after six hours and closed after two weeks, so none was withdrawn or objected to, and the history of a
referred one does not say so. Half of the applicants gave an email. Each request was looked up once. The statistics of
all tables are fresh. Redis, the broker and the object store stay as they are, because finished requests leave nothing
there but files.
"""

import asyncio
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeAlias
from urllib.parse import urlsplit
from uuid import UUID

import asyncpg
from support.finished_rows import HANDLED, RANDOM_BYTES, RANDOM_VALUES, REQUESTS, STATEMENTS, TABLES
from support.real_desk import RealDesk
from support.real_service import setting

from desk.chassis.audit import chain_of
from desk.chassis.crypto import Vault
from desk.database import Chain
from desk.iran.jalali import JalaliDate
from desk.registry_gateway.service.ledger import ledger_chain
from desk.tracking.domain import Tally, write_cells

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
SPAN = timedelta(days=100)
"""The time in which the requests were submitted, evenly."""


@dataclass(frozen=True, slots=True)
class _Requests:
    """How many requests there are, and when they were submitted."""

    number: int
    span: timedelta
    now: datetime

    @property
    def first(self) -> datetime:
        """When the first was submitted; the last is answered now."""
        return self.now - self.span - HANDLED

    def submitted(self) -> Iterator[tuple[int, datetime]]:
        """Yield the number of each request and when it was submitted."""
        for number in range(self.number):
            yield number, self.first + self.span * number / self.number


def fill(desk: RealDesk, rows: int, span: timedelta = SPAN) -> None:
    """Add ``rows`` finished requests that were submitted within ``span``, the last of them answered now; then VACUUM.

    For a desk that has none of these rows yet and gets no requests meanwhile: the ends of its chains are locked.
    """
    asyncio.run(_fill(desk, _Requests(rows, span, datetime.now(UTC))))


async def _fill(desk: RealDesk, requests: _Requests) -> None:
    await asyncio.gather(*(_fill_service(desk, name, requests) for name in desk.databases))


async def _fill_service(desk: RealDesk, service: str, requests: _Requests) -> None:
    connection = await superuser(desk, service)
    try:
        # Foreign keys are not checked: no statement violates one.
        await connection.execute("SET session_replication_role = replica; SET work_mem = '128MB'")
        await _prepare(connection, requests)
        for statement in STATEMENTS.get(service, ()):
            await connection.execute(statement)
        if service == "registry-gateway":
            await _fill_chain(connection, ledger_chain(_vault(desk, service)), _look_ups(requests))
        if service == "tracking":
            await _roll_up(connection)
            await _fill_chain(connection, chain_of(_vault(desk, service)), _readings(requests))
        await connection.execute("VACUUM ANALYZE")
        await connection.execute("CHECKPOINT")
    finally:
        await connection.close()


async def superuser(desk: RealDesk, service: str) -> Connection:
    """Connect to the database of a service as superuser."""
    database = urlsplit(desk.databases[service]).path
    return await asyncpg.connect(urlsplit(desk.postgres.dsn)._replace(path=database).geturl(), timeout=10)


async def _prepare(connection: Connection, requests: _Requests) -> None:
    await connection.execute(TABLES)
    noise = [(n, hashlib.shake_128(str(n).encode()).digest(RANDOM_BYTES)) for n in range(RANDOM_VALUES)]
    await connection.copy_records_to_table("noise", records=noise)
    await connection.execute("CREATE INDEX ON noise (n)")
    interval = requests.span / requests.number
    await connection.execute(REQUESTS, requests.number, requests.first, interval, requests.now)
    await connection.execute("ANALYZE noise, filled")


async def _roll_up(connection: Connection) -> None:
    """Add the closed requests to the roll-up of figures."""
    days = "SELECT (submitted AT TIME ZONE 'Asia/Tehran')::date, count(*) FROM filled WHERE is_closed GROUP BY 1"
    months: Counter[str] = Counter()
    for day, count in await connection.fetch(days):
        months[JalaliDate.from_gregorian(day).isoformat()[:7]] += count
    cell = ("umrah", "umrah_visa")
    tallies = {month: Tally(requests=count, answered=count, days={0: count}) for month, count in months.items()}
    rows = [(month, "isfahan", write_cells({cell: tally})) for month, tally in tallies.items()]
    await connection.copy_records_to_table("roll_up", records=rows, columns=["month", "office", "cells"])


def _vault(desk: RealDesk, service: str) -> Vault:
    values = desk[service].environment
    return Vault.from_text(values[setting(service, "VAULT_KEYS")], values[setting(service, "INDEX_KEY")])


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _look_ups(requests: _Requests) -> Iterator[Sequence[object]]:
    """Yield the content of the ledger's rows: one look-up for each submission, of a third as many people."""
    for number, at in requests.submitted():
        person = number * 7 % requests.number // 3
        source = _hash(f"source {number // 40}")
        yield _id(f"look-up {number}"), at, "submit", _hash(f"number {person}"), source, "matched"


def _readings(requests: _Requests) -> Iterator[Sequence[object]]:
    """Yield the content of the audit log's entries: each applicant has read the answer at once."""
    for number, at in requests.submitted():
        code = str(100000000000 + number * 77777777977 % 899999999999)
        source = _hash(f"source {number // 40}")
        yield _id(f"reading {number}"), at + HANDLED, "applicant", "request_read", code, source, None


def _id(text: str) -> str:
    return str(UUID(bytes=hashlib.md5(text.encode(), usedforsecurity=False).digest()))


async def _fill_chain(connection: Connection, chain: Chain, contents: Iterable[Sequence[object]]) -> None:
    """Append rows to a chain, whose head stays locked meanwhile."""
    async with connection.transaction():
        head = await connection.fetchrow(f"SELECT seq, row_hash FROM {chain.head.name} WHERE id = 1 FOR UPDATE")  # noqa: S608 - a table's name
        seq, row_hash = head["seq"], head["row_hash"]

        def chained() -> Iterator[tuple[object, ...]]:
            nonlocal seq, row_hash
            for content in contents:
                seq, prev_hash = seq + 1, row_hash
                row_hash = chain.hash(seq, prev_hash, content)
                yield (*content, seq, prev_hash, row_hash)

        columns = [*chain.content, "seq", "prev_hash", "row_hash"]
        await connection.copy_records_to_table(chain.table.name, records=chained(), columns=columns)
        update = f"UPDATE {chain.head.name} SET seq = $1, row_hash = $2, seal = $3 WHERE id = 1"  # noqa: S608 - as above
        await connection.execute(update, seq, row_hash, chain.sealed(seq, row_hash).seal)


def sizes(desk: RealDesk) -> dict[str, float]:
    """Return the size of each database in MB."""
    query = "SELECT pg_database_size(current_database()) / 1000000.0"
    return {service: float(desk.rows(service, query)[0][0]) for service in desk.databases}
