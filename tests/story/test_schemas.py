"""The migrations of each service lead to the tables that its code describes, on SQLite and PostgreSQL."""

import asyncio
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command

from desk.database import alembic_config, migrate
from desk.testing.postgres import PostgresServer

SERVICES = ("registry_gateway", "intake", "tracking", "notifier")


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path / 'schema.db'}"
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    name = f"schema-{uuid.uuid4().hex[:8]}"
    yield server.create_database(name, name, "schema")
    server.drop_database(name)


@pytest.mark.parametrize("service", SERVICES)
def test_after_the_migrations_alembic_finds_nothing_to_add(service: str, url: str):
    asyncio.run(migrate(f"desk.{service}", url))
    command.check(alembic_config(f"desk.{service}", url))


@pytest.mark.parametrize("service", SERVICES)
def test_migrations_can_be_reverted_and_applied_again(service: str, url: str):
    config = alembic_config(f"desk.{service}", url)
    command.upgrade(config, "head")
    command.downgrade(config, "base")
    command.upgrade(config, "head")
    command.check(config)
