"""The tables of a service's events: the outbox of those it publishes, and the inbox of those it has handled."""

from sqlalchemy import Column, Index, Integer, LargeBinary, MetaData, String, Table

from desk.database import UtcDateTime, new_metadata

_tables = new_metadata()

outbox = Table(
    "outbox",
    _tables,
    Column("id", String(36), primary_key=True),
    Column("exchange", String(64), nullable=False),
    Column("routing_key", String(128), nullable=False),
    Column("type", String(96), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("next_try_at", UtcDateTime, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("sent_at", UtcDateTime),
    Column("subject", String(64), index=True),
    Column("traceparent", String(55)),
)
"""``subject`` is what the event is about, such as a tracking code; None in rows from before that column.

``traceparent`` is the trace context of the change; None if it was not traced.
"""
Index(
    "ix_outbox_unsent",
    outbox.c.next_try_at,
    postgresql_where=outbox.c.sent_at.is_(None),
    sqlite_where=outbox.c.sent_at.is_(None),
)
Index(
    "ix_outbox_sent",
    outbox.c.sent_at,
    postgresql_where=outbox.c.sent_at.is_not(None),
    sqlite_where=outbox.c.sent_at.is_not(None),
)
inbox = Table(
    "inbox",
    _tables,
    Column("event_id", String(64), primary_key=True),
    Column("received_at", UtcDateTime, nullable=False, index=True),
)


def add_event_tables(metadata: MetaData) -> None:
    """Add the outbox and the inbox to a service's own schema."""
    for table in (outbox, inbox):
        table.to_metadata(metadata)
