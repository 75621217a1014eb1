"""The migrations on both databases: they create the tables of the store, keep data, and can be undone."""

import asyncio
import json
import uuid
from operator import itemgetter

import pytest
from alembic import command
from sqlalchemy import inspect

from desk.database import Database, alembic_config
from desk.registry_gateway.store import metadata

PACKAGE = "desk.registry_gateway"


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request, tmp_path):
    """An empty database without tables."""
    if request.param == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path / 'registry.db'}"
        return
    server = request.getfixturevalue("postgres_server")
    name = f"migrations_{uuid.uuid4().hex[:12]}"
    yield server.create_database(name, name, "maker")
    server.drop_database(name)


@pytest.fixture
def config(empty_url):
    return alembic_config(PACKAGE, empty_url)


@pytest.fixture
def schema(empty_url):
    """Describe every table: columns, keys and indexes."""

    def describe(connection):
        found = inspect(connection)
        return {
            table: json.dumps(
                [
                    sorted(found.get_columns(table), key=itemgetter("name")),
                    found.get_pk_constraint(table),
                    sorted(found.get_unique_constraints(table), key=itemgetter("name")),
                    sorted(found.get_indexes(table), key=itemgetter("name")),
                ],
                default=str,
            )
            for table in found.get_table_names()
        }

    async def connect():
        database = Database(empty_url)
        async with database.engine.connect() as connection:
            described = await connection.run_sync(describe)
        await database.close()
        return described

    return lambda: asyncio.run(connect())


def test_the_migrations_create_exactly_the_tables_of_the_store(config):
    command.upgrade(config, "head")

    command.check(config)


def test_migrating_again_changes_nothing(config, schema):
    command.upgrade(config, "head")
    before = schema()
    assert before.keys() == {*metadata.tables, "alembic_version"}

    command.upgrade(config, "head")

    assert schema() == before


@pytest.mark.parametrize("revision", ["0001", "base"])
def test_the_migrations_can_be_undone_and_applied_again(config, schema, revision):
    command.upgrade(config, "head")
    before = schema()

    command.downgrade(config, revision)
    assert schema() != before
    command.upgrade(config, "head")

    assert schema() == before
