"""The audit log: who read or decided what, and when. Its entries are chained within seconds, by :mod:`chain`.

A request adds its entry to its own transaction, without a place in the chain: otherwise all requests would wait for one
row. A background task gives the entries their places.
"""

import uuid
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime

from sqlalchemy import Column, Index, MetaData, String, Table, insert

from desk.database.chain import Chain, Head, Seal, audit_head, chain_columns
from desk.database.database import Database
from desk.database.sessions import DatabaseSession
from desk.database.tables import UtcDateTime, new_metadata

BATCH_SIZE = 500

audit_entry = Table(
    "audit_entry",
    new_metadata(),
    Column("id", String(36), primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("actor", String(80), nullable=False),
    Column("action", String(40), nullable=False),
    Column("subject", String(64)),
    Column("network", String(64)),
    Column("about", String(120)),
    *chain_columns(),
)
"""``subject`` is a tracking code or a keyed hash, ``network`` a keyed hash of the caller's network."""
Index("ix_audit_entry_subject", audit_entry.c.subject, audit_entry.c.at)
Index(
    "ix_audit_entry_unchained",
    audit_entry.c.at,
    postgresql_where=audit_entry.c.seq.is_(None),
    sqlite_where=audit_entry.c.seq.is_(None),
)
_ADD = insert(audit_entry)  # built once: it is executed for many requests


def add_audit_tables(metadata: MetaData) -> None:
    """Add the audit log and the head of its chain to a service's own schema."""
    audit_entry.to_metadata(metadata)
    audit_head.to_metadata(metadata)


def audit_chain(seal: Seal) -> Chain:
    """Return the chain of the audit log."""
    return Chain(audit_entry, ("id", "at", "actor", "action", "subject", "network", "about"), seal)


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One action. No field contains personal data in clear."""

    actor: str
    """A role, such as ``applicant``, an office as ``office isfahan``, a service, or ``operator`` with a name."""
    action: str
    subject: str | None = None
    """A tracking code, or a keyed hash."""
    network: str | None = None
    """A keyed hash of the network of the caller's address."""
    about: str | None = None
    at: datetime = field(default_factory=lambda: datetime.now(UTC))


async def add_audit_entry(session: DatabaseSession, entry: AuditEntry) -> None:
    """Add an entry in the transaction of the action."""
    await session.execute(_ADD, {"id": str(uuid.uuid4()), **asdict(entry)})


async def chain_entries(database: Database, chain: Chain) -> Head | None:
    """Give all entries without a place their places; return the new end of the chain, None if there were none.

    Raises ChainBrokenError.
    """
    end = None
    while (extended := await chain.extend(database, BATCH_SIZE)) is not None:
        end = extended
    return end
