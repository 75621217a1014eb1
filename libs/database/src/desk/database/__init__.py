"""The relational store of a service or of the console: engines, transactions, column types, data keys and migrations.

One request or one event is one transaction, and only this library commits.
"""

from desk.database.audit import AuditEntry, add_audit_entry, add_audit_tables, audit_chain, chain_entries
from desk.database.chain import Chain, ChainBrokenError, Head, RecordPruned, audit_head, chain_columns
from desk.database.data_keys import DataKeys, add_data_keys, data_key
from desk.database.database import Database, notify_after_commit
from desk.database.inserts import insert_together
from desk.database.migrations import alembic_config, migrate, migrations_of, run_migrations
from desk.database.rotation import DATA_KEYS, IndexedTable, RotatingKeys, Rotation, SealedColumn
from desk.database.schema import Schema, SchemaOutdatedError
from desk.database.sessions import DatabaseSession
from desk.database.tables import UtcDateTime, insert_into, new_metadata

__all__ = [
    "DATA_KEYS",
    "AuditEntry",
    "Chain",
    "ChainBrokenError",
    "DataKeys",
    "Database",
    "DatabaseSession",
    "Head",
    "IndexedTable",
    "RecordPruned",
    "RotatingKeys",
    "Rotation",
    "Schema",
    "SchemaOutdatedError",
    "SealedColumn",
    "UtcDateTime",
    "add_audit_entry",
    "add_audit_tables",
    "add_data_keys",
    "alembic_config",
    "audit_chain",
    "audit_head",
    "chain_columns",
    "chain_entries",
    "data_key",
    "insert_into",
    "insert_together",
    "migrate",
    "migrations_of",
    "new_metadata",
    "notify_after_commit",
    "run_migrations",
]
