"""The tables of the ledger: one row for each look-up, chained to the row before it, and the head of the chain."""

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table, UniqueConstraint

from desk.database import UtcDateTime, new_metadata

metadata = new_metadata()

lookup = Table(
    "lookup",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("purpose", String(32), nullable=False),
    Column("number_index", String(64), nullable=False),
    Column("source_index", String(64), nullable=False),
    Column("outcome", String(32), nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("prev_hash", String(64), nullable=False),
    Column("row_hash", String(64), nullable=False),
    UniqueConstraint("seq"),
)
Index(None, lookup.c.number_index, lookup.c.at)

ledger_head = Table(
    "ledger_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, nullable=False),
    Column("row_hash", String(64), nullable=False),
    Column("seal", String(64), nullable=False),
)
"""One row, which every writer locks: the last row of the chain, sealed with a key that the database does not have."""
