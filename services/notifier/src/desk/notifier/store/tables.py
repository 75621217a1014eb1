"""Notifier's tables; recipients and texts are encrypted with a data key per request, codes by SMS with the vault."""

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    UniqueConstraint,
    Uuid,
    bindparam,
    false,
    func,
    select,
    text,
)

from desk.chassis.event_tables import add_event_tables
from desk.database import UtcDateTime, add_audit_tables, add_data_keys, data_key, new_metadata
from desk.notifier.domain import State, states_before
from desk.versions.tables import add_version_tables

metadata = new_metadata()
add_event_tables(metadata)
add_data_keys(metadata)
add_audit_tables(metadata)
text_tables = add_version_tables(metadata, "text")

message = Table(
    "message",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("event_id", String(64), nullable=False),
    Column("tracking_code", String(12), nullable=False),
    Column("template", String(32), nullable=False),
    Column("channel", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    Column("personal", LargeBinary, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("next_try_at", UtcDateTime, nullable=False),  # while claimed: when the lease expires
    Column("tries", Integer, nullable=False),
    Column("provider_reference", String(128)),
    Column("last_error", String(32)),
    Column("handed_over_at", UtcDateTime),
    Column("delivered_at", UtcDateTime),
    Column("provider", String(16)),  # while ambiguous or handed over; NULL after a certain refusal
    Column("recipient_index", String(64)),
    Column("due_at", UtcDateTime),  # when the first attempt was due; the rate limit counts by it
    Column("wording", String(64)),  # the template file of the text
    Column("seq", Integer),  # the number of the event within its request
    Column("priority", Integer, nullable=False, server_default="1"),  # 0 is sent before 1
    Column("expires_at", UtcDateTime),  # no attempt is made after it; NULL for notices
    Column("failure_published", Boolean, nullable=False, server_default=false()),  # to tracking, or nothing to publish
    Column("index_key", String(8)),  # the id of the key of recipient_index; NULL before migration 0007
    Column("traceparent", String(55)),  # the trace context of the event's handling; NULL if it was not traced
    UniqueConstraint("event_id", "template", "channel"),
)
unfinished = message.c.state.in_([State.QUEUED, State.CLAIMED])
Index(
    "ix_message_unfinished",
    message.c.channel,
    message.c.priority,
    message.c.next_try_at,
    postgresql_where=unfinished,
    sqlite_where=unfinished,
)
Index("ix_message_created_at", message.c.created_at)
Index("ix_message_tracking_code", message.c.tracking_code)
Index("ix_message_provider_provider_reference", message.c.provider, message.c.provider_reference)
Index("ix_message_recipient_index_due_at", message.c.recipient_index, message.c.due_at)
awaited = (message.c.state == State.HANDED_OVER) & message.c.provider.is_not(None)
Index("ix_message_awaited", message.c.next_try_at, postgresql_where=awaited, sqlite_where=awaited)
_failed = message.c.state == State.FAILED
Index("ix_message_failed", message.c.created_at, postgresql_where=_failed, sqlite_where=_failed)
unpublished_failure = text("state = 'failed' AND NOT failure_published")
"""Matches messages by the index of exactly these; with constants, so that PostgreSQL finds it."""
Index(
    "ix_message_failure_unpublished",
    message.c.created_at,
    postgresql_where=unpublished_failure,
    sqlite_where=unpublished_failure,
)

attempt = Table(
    "attempt",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("message_id", Uuid, nullable=False),
    Column("provider", String(16), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("bad", Boolean, nullable=False),
)
Index("ix_attempt_at", attempt.c.at)
Index("ix_attempt_message_id", attempt.c.message_id)

erasure = Table(
    "erasure",
    metadata,
    Column("tracking_code", String(12), primary_key=True),
    Column("erased_at", UtcDateTime, nullable=False),
)
"""The requests whose data was erased: later events about them queue nothing."""


wrapped_key = (
    select(data_key.c.wrapped).where(data_key.c.id == message.c.tracking_code).scalar_subquery().label("wrapped")
)
"""The data key of a message's request, as a column of a query for messages."""


LOCK_REQUEST = func.pg_advisory_xact_lock(func.hashtextextended(bindparam("request", type_=String), 0))
"""Locks a request until the transaction ends, so that its erasure and new messages wait for each other.

``request`` is :func:`request_name`. For PostgreSQL: SQLite has one writer at a time.
"""


def request_name(tracking_code: str) -> str:
    """Return the name by which a request is locked."""
    return f"request:{tracking_code}"


def may_become(state: State) -> ColumnElement[bool]:
    """Match the messages whose state may change to ``state``."""
    return message.c.state.in_(sorted(states_before(state)))
