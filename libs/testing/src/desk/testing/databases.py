"""Databases for tests that run on a real PostgreSQL: migrated once, emptied before each test."""

import asyncio
import secrets
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import inspect, text

from desk.database import Database, migrate
from desk.testing.postgres import PostgresServer


def migrated_database(server: PostgresServer, package: str) -> str:
    """Create a database, migrate it to the newest schema of ``package``, and return its URL for SQLAlchemy.

    ``package`` is a service's import name, such as ``desk.intake``.
    """
    name = f"{package.replace('.', '_')}_{secrets.token_hex(4)}"
    url = server.create_database(name, name, secrets.token_hex(16))
    with ThreadPoolExecutor(1) as thread:  # the caller's thread may have a running event loop
        thread.submit(asyncio.run, migrate(package, url)).result()
    return url


async def empty_tables(database: Database) -> None:
    """Delete every row of every table but Alembic's version; sequences start again at 1."""
    async with database.engine.begin() as connection:
        names = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
        tables = ", ".join(f'"{name}"' for name in names if name != "alembic_version")
        if tables:
            await connection.execute(text(f"TRUNCATE {tables} RESTART IDENTITY CASCADE"))
