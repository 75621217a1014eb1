"""Data keys on both databases: created once, unreadable once destroyed, wrapped by the vault."""

import asyncio

import pytest
from sqlalchemy import select, update

from desk.chassis.crypto import DecryptionError, Vault
from desk.database import Database, DataKeys, add_data_keys, data_key, new_metadata
from desk.security.data_keys import DataKey, KeyDestroyedError

VAULT = Vault({"k1": b"1" * 32}, b"i" * 32)
PLACE = "request.personal:1"


@pytest.fixture(params=["sqlite", "postgresql"])
async def database(request, tmp_path):
    if request.param == "sqlite":
        url = f"sqlite+aiosqlite:///{tmp_path / 'keys.db'}"
    else:
        url = request.getfixturevalue("postgres_server").create_database("data_keys", "data_keys", "maker")
    metadata = new_metadata()
    add_data_keys(metadata)
    database = Database(url)
    async with database.engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
    yield database
    await database.close()
    if request.param == "postgresql":
        request.getfixturevalue("postgres_server").drop_database("data_keys")


@pytest.fixture
def keys():
    return DataKeys(VAULT)


@pytest.fixture
async def sealed(database, keys):
    async with database.transaction() as session:
        return (await keys.create(session, "1")).seal(b"personal", PLACE)


@pytest.fixture
def wrapped(database):
    async def wrapped(key_id="1"):
        async with database.read() as session:
            query = select(data_key.c.wrapped).where(data_key.c.id == key_id)
            return (await session.execute(query)).scalar_one_or_none()

    return wrapped


async def test_a_value_is_decrypted_with_the_key_of_its_row(keys, sealed, wrapped):
    assert keys.open(sealed, PLACE, "1", await wrapped()) == b"personal"


async def test_a_value_is_bound_to_its_place_and_a_key_to_its_id(keys, sealed, wrapped):
    with pytest.raises(DecryptionError):
        keys.open(sealed, "request.personal:2", "1", await wrapped())
    with pytest.raises(DecryptionError):
        keys.open(sealed, PLACE, "2", await wrapped())


@pytest.mark.parametrize("cut", [4, 10, 16, 20])
async def test_a_value_that_is_cut_off_is_not_decrypted(keys, sealed, wrapped, cut):
    with pytest.raises(DecryptionError):
        keys.open(sealed[:cut], PLACE, "1", await wrapped())


async def test_once_a_key_is_destroyed_its_values_are_unreadable(database, keys, sealed, wrapped):
    async with database.transaction() as session:
        assert await keys.destroy(session, ["1", "unknown"]) == 1

    with pytest.raises(KeyDestroyedError):
        keys.open(sealed, PLACE, "1", await wrapped())


async def test_a_value_from_before_there_were_data_keys_is_still_read(keys):
    assert keys.open(VAULT.seal(b"personal", PLACE), PLACE, "1", None) == b"personal"


async def test_the_table_contains_no_key_in_clear(database, keys, wrapped):
    async with database.transaction() as session:
        key = await keys.create(session, "1")

    assert key.secret not in await wrapped()
    assert key.secret.hex() not in repr(key)


async def test_concurrent_callers_get_the_same_key(database, keys):
    async def get():
        async with database.transaction() as session:
            return await keys.get_or_create(session, "1")

    assert len(set(await asyncio.gather(*(get() for _ in range(5))))) == 1


async def test_keys_are_loaded_together(database, keys):
    async with database.transaction() as session:
        created = {key_id: await keys.create(session, key_id) for key_id in "12"}
        assert await keys.load(session, ["1", "2", "3"]) == created


async def test_a_new_key_of_the_vault_wraps_data_keys_again(database, keys, sealed, wrapped):
    rotated = Vault({"k2": b"2" * 32, "k1": b"1" * 32}, b"i" * 32)
    key = keys.unwrap("1", await wrapped())
    async with database.transaction() as session:
        await session.execute(update(data_key).values(wrapped=rotated.seal(key.secret, "data_key.wrapped:1")))

    new = DataKeys(Vault({"k2": b"2" * 32}, b"i" * 32))
    assert new.open(sealed, PLACE, "1", await wrapped()) == b"personal"


def test_a_derived_key_is_another_one_for_each_purpose():
    key = DataKey.generate("1")
    assert len({key.secret, key.derive("a", b""), key.derive("b", b""), key.derive("a", b"salt")}) == 4
