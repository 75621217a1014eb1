"""The migrations create the tables of the code, on both databases."""

import uuid
from datetime import UTC, datetime

import pytest
from alembic import command
from sqlalchemy import inspect, select

from desk.console.store.tables import account, metadata
from desk.database import Database, alembic_config, migrate

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path / 'console.sqlite3'}"
    server = request.getfixturevalue("postgres_server")
    return server.create_database(f"console_{uuid.uuid4().hex[:8]}", "console", "console's word")


@pytest.fixture
async def database(url):
    database = Database(url)
    yield database
    await database.close()


async def test_the_migrations_create_the_tables_of_the_code(url, database):
    await migrate("desk.console", url)
    async with database.engine.begin() as connection:
        names = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
        await connection.run_sync(lambda sync: command.check(alembic_config("desk.console", url, sync)))
    assert set(names) == {*metadata.tables, "alembic_version"}


async def test_a_second_migration_keeps_the_rows(url, database):
    await migrate("desk.console", url)
    columns = {"province": "isfahan", "username": "expert", "name": "کسی", "role": "expert", "active": True}
    columns |= {"password_hash": "-", "new_password": False, "enrolled": False, "last_totp": 0}
    async with database.transaction() as session:
        await session.execute(account.insert().values(id="a-1", created_at=NOW, **columns))
    await migrate("desk.console", url)
    async with database.read() as session:
        assert (await session.execute(select(account.c.id))).scalars().all() == ["a-1"]
