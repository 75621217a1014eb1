"""The relational store of a service or of the console: engines, transactions, column types, data keys and migrations.

One request or one event is one transaction, and only this library commits.
"""

from desk.database.data_keys import DataKeys, add_data_keys, data_key
from desk.database.database import Database, notify_after_commit
from desk.database.migrations import alembic_config, migrate, migrations_of, run_migrations
from desk.database.tables import UtcDateTime, insert_into, new_metadata

__all__ = [
    "DataKeys",
    "Database",
    "UtcDateTime",
    "add_data_keys",
    "alembic_config",
    "data_key",
    "insert_into",
    "migrate",
    "migrations_of",
    "new_metadata",
    "notify_after_commit",
    "run_migrations",
]
