"""Databases for tests, migrated once: a PostgreSQL is emptied before each test, an SQLite file is copied for it."""

import asyncio
import secrets
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sqlalchemy import inspect, text

from desk.database import Database, migrate
from desk.testing.postgres import PostgresServer


def migrated_database(server: PostgresServer, package: str) -> str:
    """Create a database, migrate it to the newest schema of ``package``, and return its URL for SQLAlchemy.

    ``package`` is a service's import name, such as ``desk.intake``.
    """
    name = f"{package.replace('.', '_')}_{secrets.token_hex(4)}"
    url = server.create_database(name, name, secrets.token_hex(16))
    _migrate(package, url)
    return url


def migrated_file(folder: Path, package: str) -> Path:
    """Create an SQLite database in ``folder``, migrated to the newest schema of ``package``; return its file."""
    path = folder / "migrated.db"
    _migrate(package, f"sqlite+aiosqlite:///{path}")
    return path


def copy_of(migrated: Path, path: Path) -> str:
    """Copy a migrated SQLite database, and return the copy's URL for SQLAlchemy."""
    shutil.copy(migrated, path)
    return f"sqlite+aiosqlite:///{path}"


def _migrate(package: str, url: str) -> None:
    with ThreadPoolExecutor(1) as thread:  # the caller's thread may have a running event loop
        thread.submit(asyncio.run, migrate(package, url)).result()


async def empty_tables(database: Database) -> None:
    """Delete every row of every table but Alembic's version; sequences start again at 1."""
    async with database.engine.begin() as connection:
        names = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
        tables = ", ".join(f'"{name}"' for name in names if name != "alembic_version")
        if tables:
            await connection.execute(text(f"TRUNCATE {tables} RESTART IDENTITY CASCADE"))
