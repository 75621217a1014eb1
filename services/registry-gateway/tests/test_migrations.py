import asyncio

from alembic import command
from sqlalchemy import inspect

from desk.database import Database, alembic_config, migrate

PACKAGE = "desk.registry_gateway"


def test_the_migrations_make_exactly_the_tables_the_code_uses(tmp_path):
    url = f"sqlite+aiosqlite:///{tmp_path / 'registry.db'}"
    asyncio.run(migrate(PACKAGE, url))

    command.check(alembic_config(PACKAGE, url))


def test_migrating_again_changes_nothing(tmp_path):
    url = f"sqlite+aiosqlite:///{tmp_path / 'registry.db'}"
    asyncio.run(migrate(PACKAGE, url))

    asyncio.run(migrate(PACKAGE, url))


def test_the_migrations_can_be_taken_back(tmp_path):
    url = f"sqlite+aiosqlite:///{tmp_path / 'registry.db'}"
    asyncio.run(migrate(PACKAGE, url))

    command.downgrade(alembic_config(PACKAGE, url), "base")

    assert "lookup" not in asyncio.run(_tables(url))


async def _tables(url):
    database = Database(url)
    async with database.engine.connect() as connection:
        names = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
    await database.close()
    return names
