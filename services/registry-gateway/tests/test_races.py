"""Two sessions at once on PostgreSQL: each lock of the ledger has a test that fails without it."""

import asyncio
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from desk.registry_gateway.domain import Lookup, Outcome, Purpose
from desk.registry_gateway.service import Ledger
from desk.registry_gateway.store import LookupStore

pytestmark = pytest.mark.parametrize("ledger_url", ["postgresql"], indirect=True)
LOCK_WAITS = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


def made():
    return Lookup(datetime.now(UTC), Purpose.SUBMIT, "number", "source", Outcome.MATCHED)


@pytest.fixture
def waits_for_a_lock(ledger_database):
    """Return whether a task waits for a lock that another session holds; False if it ended without waiting."""

    async def waits_for_a_lock(task):
        async with asyncio.timeout(30):
            while not task.done():
                async with ledger_database.engine.connect() as connection:
                    if await connection.scalar(LOCK_WAITS):
                        return True
                await asyncio.sleep(0.01)
        return False

    return waits_for_a_lock


@pytest.fixture
async def first(ledger_database, vault):
    """A ledger that is open and has one row."""
    ledger = Ledger(ledger_database, vault)
    await ledger.open()
    await ledger.record(made())
    return ledger


@pytest.fixture
def append(first, ledger_database):
    """Append a row in a session that another one must wait for, and keep the session open."""

    async def append(session):
        store = LookupStore(session)
        head = await store.read_head(lock=True)
        row = first._chained(made(), head)
        await store.append(row, first._chain.sealed(row.seq, row.row_hash).seal)

    return append


async def test_a_look_up_follows_the_row_that_another_replica_is_writing(
    ledger_database, vault, first, append, waits_for_a_lock
):
    other = Ledger(ledger_database, vault)
    async with ledger_database.transaction() as session:
        await append(session)
        writing = asyncio.create_task(other.record(made()))
        assert await waits_for_a_lock(writing)
    await writing

    assert (await first.verify()).seq == 3


async def test_a_replica_that_remembers_the_head_notices_another_row(ledger_database, first, append, waits_for_a_lock):
    async with ledger_database.transaction() as session:
        await append(session)
        writing = asyncio.create_task(first.record(made()))
        assert await waits_for_a_lock(writing)
    await writing

    assert (await first.verify()).seq == 3


async def test_a_check_waits_for_the_row_that_is_being_written(ledger_database, first, append, waits_for_a_lock):
    async with ledger_database.transaction() as session:
        await append(session)
        checking = asyncio.create_task(first.verify())
        assert await waits_for_a_lock(checking)

    assert (await checking).seq == 2


async def test_a_replica_that_starts_does_not_move_the_head_back(ledger_database, vault, waits_for_a_lock):
    starting = Ledger(ledger_database, vault)
    async with ledger_database.transaction() as session:
        store = LookupStore(session)
        row = starting._chained(made(), await store.read_head(lock=True))
        opening = asyncio.create_task(starting.open())
        assert await waits_for_a_lock(opening)
        await store.append(row, starting._chain.sealed(row.seq, row.row_hash).seal)
    await opening

    assert (await starting.verify()).seq == 1
