"""Alembic without an ini file: each package has its migrations, and each database is migrated over one connection.

Alembic is imported when it is used: a running service does without it, which saves it 9 MB of memory.
"""

import asyncio
import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import Connection, MetaData

from desk.database.database import Database
from desk.database.tables import UtcDateTime

if TYPE_CHECKING:
    from alembic.config import Config


def migrations_of(package: str) -> Path:
    """Find a package's migrations: inside the installed package, or next to ``src/`` in a checkout.

    Raises FileNotFoundError.
    """
    home = Path(str(importlib.import_module(package).__file__)).parent
    for candidate in (home / "migrations", home.parents[2] / "migrations"):
        if candidate.is_dir():
            return candidate
    raise FileNotFoundError(f"no migrations folder for {package}")


def alembic_config(package: str, url: str, connection: Connection | None = None) -> "Config":
    """Return Alembic's configuration for the migrations of ``package``."""
    from alembic.config import Config  # noqa: PLC0415 - see above

    config = Config()
    config.set_main_option("script_location", str(migrations_of(package)).replace("%", "%%"))  # it interpolates
    config.set_main_option("path_separator", "os")
    config.attributes["url"] = url
    config.attributes["connection"] = connection
    return config


async def migrate(package: str, url: str, serve_as: str | None = None) -> None:
    """Migrate a database to the newest schema of ``package``. Does nothing if it is up to date.

    On PostgreSQL the role of ``url`` owns what it creates; the role ``serve_as`` may then read and write rows, and
    nothing else.
    """
    from alembic import command  # noqa: PLC0415 - see above

    database = Database(url, statement_seconds=None)
    try:
        async with database.engine.begin() as connection:
            await connection.run_sync(
                lambda sync: command.upgrade(alembic_config(package, url, sync), "head"),
            )
            if serve_as is not None:
                await connection.run_sync(lambda sync: _grant_rows(sync, serve_as))
    finally:
        await database.close()


def _grant_rows(connection: Connection, role: str) -> None:
    name = connection.dialect.identifier_preparer.quote(role)
    for grant in (
        f"USAGE ON SCHEMA public TO {name}",
        f"SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {name}",
        f"USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {name}",
    ):
        connection.exec_driver_sql(f"GRANT {grant}")


def run_migrations(metadata: MetaData) -> None:
    """Run migrations over the given connection, or open one. The body of every ``migrations/env.py``."""
    from alembic import context  # noqa: PLC0415 - Alembic's context exists only while its env runs

    def configure_and_run(connection: Connection) -> None:
        context.configure(
            connection=connection,
            target_metadata=metadata,
            compare_type=True,
            render_item=_render_type,
        )
        with context.begin_transaction():
            context.run_migrations()

    given: Any = context.config.attributes.get("connection")
    if given is not None:
        configure_and_run(given)
        return

    async def connect() -> None:
        url = context.config.attributes.get("url") or context.config.get_main_option("sqlalchemy.url")
        database = Database(str(url), statement_seconds=None)
        try:
            async with database.engine.begin() as connection:
                await connection.run_sync(configure_and_run)
        finally:
            await database.close()

    asyncio.run(connect())


def _render_type(kind: str, value: object, _context: object) -> str | Literal[False]:
    """Write a timestamp into a new migration as its plain type, so that no migration depends on our code."""
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(value, UtcDateTime) else False
