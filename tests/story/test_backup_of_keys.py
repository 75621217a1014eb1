"""Data and keys are backed up apart, by the commands of docs/operations.md: what was erased stays erased."""

import uuid
from collections.abc import Callable, Iterator
from functools import partial

import pytest
from sqlalchemy import select
from support.postgres_programs import run_program

from desk.chassis.crypto import Vault
from desk.database import Database, DataKeys, data_key, migrate
from desk.security.data_keys import KeyDestroyedError
from desk.testing.postgres import PostgresServer
from desk.tracking.store import refusal_table

VAULT = Vault({"k1": b"1" * 32}, b"i" * 32)
PLACE = "case.request:{}"
ERASED, KEPT = "572345678909", "123456789018"

Run = Callable[..., bytes]


@pytest.fixture
def url(postgres_server: PostgresServer) -> Iterator[str]:
    name = f"backup_{uuid.uuid4().hex[:8]}"
    yield postgres_server.create_database(name, name, "a-password-of-tests")
    postgres_server.drop_database(name)


@pytest.fixture
def run(url: str) -> Run:
    """Run a program of PostgreSQL on the database."""
    return partial(run_program, url)


async def test_a_backup_from_before_an_erasure_does_not_restore_the_erased_data(url: str, run: Run):
    await migrate("desk.tracking", url)
    keys, sealed = DataKeys(VAULT), {}
    database = Database(url)
    async with database.transaction() as session:
        for code in (ERASED, KEPT):
            sealed[code] = (await keys.create(session, code)).seal(b"personal", PLACE.format(code))
    data = run("pg_dump", "-Fc", "--exclude-table-data=data_key")
    assert data_key.name.encode() in data
    async with database.transaction() as session:
        await keys.destroy(session, [ERASED])
    newest = run("pg_dump", "-Fc", "--data-only", "--table=data_key")
    await database.close()

    run("pg_restore", "--clean", "--if-exists", given=data)
    run("pg_restore", "--data-only", given=newest)

    database = Database(url)
    async with database.read() as session:
        assert (await session.execute(select(refusal_table))).all() == [], "the other tables are there"
        wrapped = {row.id: row.wrapped for row in (await session.execute(select(data_key))).all()}
    await database.close()
    assert keys.open(sealed[KEPT], PLACE.format(KEPT), KEPT, wrapped.get(KEPT)) == b"personal"
    with pytest.raises(KeyDestroyedError):
        keys.open(sealed[ERASED], PLACE.format(ERASED), ERASED, wrapped.get(ERASED))


async def test_a_backup_of_data_contains_no_key(url: str, run: Run):
    await migrate("desk.tracking", url)
    database = Database(url)
    async with database.transaction() as session:
        await DataKeys(VAULT).create(session, KEPT)
    await database.close()

    assert KEPT.encode() not in run("pg_dump", "--exclude-table-data=data_key")
    assert KEPT.encode() in run("pg_dump", "--data-only", "--table=data_key")
