"""Migrations lead to the tables of the code, on both databases."""

import uuid

import pytest
from alembic import command

from desk.database import Database, alembic_config, migrate


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path / 'console.sqlite3'}"
    server = request.getfixturevalue("postgres_server")
    return server.create_database(f"console_{uuid.uuid4().hex[:8]}", "console", "console's word")


async def test_the_migrations_make_what_the_tables_say(url):
    await migrate("desk.console", url)
    await migrate("desk.console", url)
    database = Database(url)
    async with database.engine.begin() as connection:
        await connection.run_sync(lambda sync: command.check(alembic_config("desk.console", url, sync)))
    await database.close()
