"""Rows of several tables that are inserted together, on SQLite and on PostgreSQL."""

import asyncio
import uuid
from datetime import UTC, datetime

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from desk.chassis.event_tables import inbox, outbox
from desk.database import DatabaseSession, insert_together


async def insert_all(store, session: DatabaseSession, label: str, event_id: str, *, absent: bool = False) -> bool:
    """Insert an effect, its promise and an inbox row; ``absent`` asks that no outbox row has the label as its id."""
    return await insert_together(
        session,
        (store.effects, {"label": label}),
        (store.promises, {"id": 1, "label": label}),
        (inbox, {"event_id": event_id, "received_at": datetime.now(UTC)}),
        unique="label",
        absent=outbox.c.id if absent else None,
    )


@pytest.fixture
def counts(store):
    async def counts() -> list[int]:
        return [len(await store.rows(select(table))) for table in (store.effects, store.promises, inbox)]

    return counts


@pytest.fixture(params=["transaction", "one_write"])
def opened(request, store):
    """Return the function that opens a session."""
    return getattr(store.database, request.param)


async def test_all_rows_are_inserted(store, opened, counts):
    async with opened() as session:
        assert await insert_all(store, session, "first", "e-1")

    assert await counts() == [1, 1, 1]


async def test_nothing_is_inserted_if_the_first_row_is_there(store, opened, counts):
    async with opened() as session:
        await store.add_effect(session, "first")
    async with opened() as session:
        assert not await insert_all(store, session, "first", "e-1")

    assert await counts() == [1, 0, 0]


async def test_nothing_is_inserted_if_the_other_table_has_the_value(store, opened, counts):
    event_id = await store.add_event()
    async with opened() as session:
        assert not await insert_all(store, session, event_id, "e-1", absent=True)
    async with opened() as session:
        assert await insert_all(store, session, str(uuid.uuid4()), "e-1", absent=True)

    assert await counts() == [1, 1, 1]


async def test_nothing_is_inserted_if_a_later_row_conflicts(store, opened, counts):
    async with opened() as session:
        assert await insert_all(store, session, "first", "e-1")
    with pytest.raises(IntegrityError):
        async with opened() as session:
            await insert_all(store, session, "second", "e-1")

    assert await counts() == [1, 1, 1]


async def test_it_waits_for_a_transaction_that_is_inserting_the_same_row(store, opened):
    if store.dialect == "sqlite":
        pytest.skip("SQLite has one writer at a time")

    async def add() -> bool:
        async with opened() as session:
            return await insert_all(store, session, "first", "e-1")

    async with store.database.transaction() as other:
        await store.add_effect(other, "first")
        adding = asyncio.create_task(add())
        while not await store.rows(text("SELECT 1 FROM pg_locks WHERE NOT granted")):  # noqa: ASYNC110 - a lock has no event
            await asyncio.sleep(0.01)
    assert not await adding


async def test_the_relay_is_notified_after_one_write(store, thing_made):
    notified: list[str] = []
    store.database.after_commit.append(lambda: notified.append("after"))
    async with store.database.one_write() as session:
        await store.outbox.add(session, thing_made(label="one"), subject="s-1", key="north", seq=1)
        assert notified == []
    assert notified == ["after"]
