"""Keys rotated on both databases: every value is under the current key afterwards, and the former one is not needed."""

import asyncio
import os

import pytest
from sqlalchemy import Column, LargeBinary, String, Table, insert, select, update

from desk.chassis.crypto import Vault
from desk.database import DATA_KEYS, Database, DataKeys, IndexedTable, Rotation, SealedColumn, data_key, new_metadata
from desk.security.data_keys import KeyDestroyedError

OLD = Vault({"k1": b"1" * 32}, b"i" * 32)
BOTH = Vault({"k2": b"2" * 32, "k1": b"1" * 32}, b"j" * 32, b"i" * 32)
NEW = Vault({"k2": b"2" * 32}, b"j" * 32)
ROWS = 450
PLACE = "thing.personal:{}"

metadata = new_metadata()
thing = Table(
    "thing",
    metadata,
    Column("id", String(10), primary_key=True),
    Column("personal", LargeBinary),
    Column("owner_index", String(64)),
    Column("index_key", String(8)),
)
data_key.to_metadata(metadata)
SEALED = SealedColumn(thing, "personal", PLACE.format("{id}"))


@pytest.fixture(params=["sqlite", "postgresql"])
async def database(request, tmp_path):
    if request.param == "sqlite":
        url = f"sqlite+aiosqlite:///{tmp_path / 'rotation.db'}"
    else:
        url = request.getfixturevalue("postgres_server").create_database("rotation", "rotation", "maker")
    database = Database(url)
    async with database.engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
    yield database
    await database.close()
    if request.param == "postgresql":
        request.getfixturevalue("postgres_server").drop_database("rotation")


@pytest.fixture
async def rows(database):
    """Rows under the old keys; the first one's data key is destroyed already."""
    async with database.transaction() as session:
        for number in map(str, range(ROWS)):
            await DataKeys(OLD).create(session, number)
            sealed = OLD.seal(number.encode(), PLACE.format(number))
            values = {"id": number, "personal": sealed, "owner_index": OLD.index(number, "owner")}
            await session.execute(insert(thing).values(values))


def rotation(database, vault=BOTH):
    async def rewrite(session, row):
        if row.personal == b"":
            raise KeyDestroyedError
        number = vault.open(row.personal, PLACE.format(row.id)).decode()
        values = {"owner_index": vault.index(number, "owner"), "index_key": vault.index_key_ids[0]}
        await session.execute(update(thing).where(thing.c.id == row.id).values(values))

    indexed = IndexedTable(thing, vault.index_key_ids[0], select(thing), rewrite)
    return Rotation(database, vault, (DATA_KEYS, SEALED), (indexed,))


def numbers(done):
    return {each.name: (each.examined, each.rewritten, each.left) for each in done}


async def read_all(database, vault):
    async with database.read() as session:
        found = (await session.execute(select(thing))).all()
        keys = await DataKeys(vault).load(session, [row.id for row in found])
    assert len(keys) == ROWS
    return {row.id: (vault.open(row.personal, PLACE.format(row.id)), row.owner_index) for row in found}


async def test_everything_is_under_the_current_keys_afterwards(database, rows):
    done = numbers(await rotation(database).run())

    assert done == dict.fromkeys(("data_key.wrapped", "thing.personal", "thing (indexes)"), (ROWS, ROWS, 0))
    expected = {number: (number.encode(), NEW.index(number, "owner")) for number in map(str, range(ROWS))}
    assert await read_all(database, NEW) == expected


async def test_a_second_rotation_finds_nothing(database, rows):
    await rotation(database).run()

    assert set(numbers(await rotation(database).run()).values()) == {(0, 0, 0)}


async def test_two_rotations_at_once_rewrite_each_row_once(database, rows):
    first, second = await asyncio.gather(rotation(database).run(), rotation(database).run())

    rewritten = [a.rewritten + b.rewritten for a, b in zip(first, second, strict=True)]
    assert rewritten == [ROWS, ROWS, ROWS]
    assert not any(each.left for each in await rotation(database).run())
    assert len(await read_all(database, NEW)) == ROWS


async def test_a_value_that_no_key_opens_is_named_and_the_others_are_rewritten(database, rows):
    foreign = Vault({"k0": os.urandom(32)}, b"i" * 32).seal(b"?", PLACE.format("7"))
    async with database.transaction() as session:
        await session.execute(update(thing).where(thing.c.id == "7").values(personal=foreign))

    _, sealed, indexes = await rotation(database).run()

    assert (sealed.rewritten, sealed.left, sealed.unreadable) == (ROWS - 1, 1, {"7"})
    assert (indexes.rewritten, indexes.left, indexes.unreadable) == (ROWS - 1, 1, {"7"})
    assert "thing.personal: 7 cannot be read with the keys of the settings" in list(sealed.lines())


async def test_an_erased_row_does_not_keep_the_former_index_key(database, rows):
    async with database.transaction() as session:
        await session.execute(update(thing).where(thing.c.id == "7").values(personal=b""))

    done = await rotation(database).run()

    assert not any(each.left for each in done)


async def test_the_status_counts_the_rows_of_each_key(database, rows):
    before = await rotation(database).status()
    await rotation(database).run()

    assert f"data_key.wrapped: key k1: {ROWS} rows" in before
    assert f"thing (indexes): index key unknown: {ROWS} rows" in before
    assert await rotation(database).status() == [
        f"data_key.wrapped: key k2: {ROWS} rows",
        f"thing.personal: key k2: {ROWS} rows",
        f"thing (indexes): index key {BOTH.index_key_ids[0]}: {ROWS} rows",
    ]


async def test_values_of_data_keys_are_left_as_they_are(database):
    async with database.transaction() as session:
        key = await DataKeys(OLD).create(session, "1")
        sealed = key.seal(b"text", PLACE.format("1"))
        await session.execute(insert(thing).values(id="1", personal=sealed, index_key=BOTH.index_key_ids[0]))

    done = numbers(await rotation(database).run())

    assert done["thing.personal"] == (0, 0, 0)
    async with database.read() as session:
        assert (await session.execute(select(thing.c.personal))).scalar_one() == sealed
