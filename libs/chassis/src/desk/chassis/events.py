"""Events, and the two tables that give each event exactly one effect.

An event is a row in the **outbox**, written in the transaction of the change that it reports; the relay publishes it
afterwards. A consumer adds a row to the **inbox** in the transaction of the event's effect, so a second delivery finds
the row and has no effect. An event's data is encrypted for its receivers before it is stored.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import ClassVar, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Column, Table, bindparam, delete, func, insert, select, update

from desk.chassis import event_encryption
from desk.chassis.event_encryption import EventEncryptor, Jwe
from desk.chassis.event_tables import inbox, outbox
from desk.chassis.moments import Moment
from desk.chassis.tracing import current_traceparent
from desk.database import DatabaseSession, insert_into, notify_after_commit

CONTENT_TYPE = "application/cloudevents+json"
TYPE_PREFIX = "ir.haj.desk."
SENT_KEPT = timedelta(days=1)
"""How long a sent event is kept, so that it can be published again after a restore."""
RECEIVED_KEPT = timedelta(days=7)
"""Longer than any delivery takes. An older dead letter is replayed at the operator's own risk of a second effect."""
MAX_BACK_OFF = timedelta(seconds=15)
"""The longest wait before a row is published again; the outbox must be empty 60 s after the broker is back."""

# Built once, because they are executed for every event.
_ADD_TO_OUTBOX = insert(outbox)
_CLAIM = (
    select(outbox)
    .where(outbox.c.sent_at.is_(None), outbox.c.next_try_at <= bindparam("now"))
    .order_by(outbox.c.next_try_at)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
)
_MARK_SENT = update(outbox).where(outbox.c.id.in_(bindparam("ids", expanding=True)))
_BACKLOG = select(func.count(), func.min(outbox.c.created_at)).where(outbox.c.sent_at.is_(None))
_ADD_TO_INBOX = {
    dialect: insert_into(dialect, inbox).on_conflict_do_nothing().returning(inbox.c.event_id)
    for dialect in ("postgresql", "sqlite")
}


class Event(BaseModel):
    """Base of all events, published and consumed. A consumer ignores unknown fields."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True, use_attribute_docstrings=True)

    name: ClassVar[str]
    """The event's name without prefix and version, e.g. ``request-submitted``."""
    version: ClassVar[int] = 1
    exchange: ClassVar[str] = "desk.events"
    receivers: ClassVar[tuple[str, ...]] = ()
    """Who can read a published event: names of services, and ``{key}`` for the receiver that its routing key names."""

    @classmethod
    def receivers_of(cls, key: str) -> tuple[str, ...]:
        """Return the receivers of an event that is published with this key."""
        return tuple(name.format(key=key) for name in cls.receivers)

    @classmethod
    def type(cls) -> str:
        """The CloudEvents type, e.g. ``ir.haj.desk.request-submitted.v1``."""
        return f"{TYPE_PREFIX}{cls.name}.v{cls.version}"


_PRINTABLE = r"^[!-~]+$"
"""ASCII without spaces and control characters: PostgreSQL stores no NUL, and no attribute needs more."""


class Envelope(BaseModel):
    """CloudEvents 1.0 in structured JSON, with the extension ``seq``: the running number of the subject's events."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)

    specversion: Literal["1.0"] = "1.0"
    id: str = Field(min_length=1, max_length=64, pattern=_PRINTABLE)
    source: str = Field(min_length=1, max_length=128, pattern=_PRINTABLE)
    type: str = Field(min_length=1, max_length=96, pattern=_PRINTABLE)
    subject: str = Field(min_length=1, max_length=64, pattern=_PRINTABLE)
    time: Moment
    seq: int = Field(ge=1, le=2**31 - 1)
    datacontenttype: Literal["application/jose+json"] = event_encryption.CONTENT_TYPE
    data: Jwe
    """The event's own data, encrypted for its receivers."""


E_ = TypeVar("E_", bound=Event)


@dataclass(frozen=True, slots=True)
class Received(Generic[E_]):
    """An event as a handler receives it: its data, its envelope and its delivery."""

    id: str
    source: str
    subject: str
    seq: int
    time: datetime
    data: E_
    routing_key: str
    sender: str | None
    """The broker user that published it, as verified by the broker; None if unknown."""
    last_attempt: bool = False
    """Whether the event is dead-lettered if this attempt fails."""
    failures: int = 0
    """How many attempts to handle it have failed."""


@dataclass(frozen=True, slots=True)
class Message:
    """An event on the wire: its destination and its bytes."""

    id: str
    exchange: str
    routing_key: str
    type: str
    body: bytes
    sender: str | None = None
    last_attempt: bool = False
    failures: int = 0
    traceparent: str | None = None
    """The trace context of its publication, or while it is in the outbox of the change; the sender chose it."""


class Outbox:
    """Events waiting to be published, already encrypted for their receivers."""

    def __init__(self, source: str, encryptor: EventEncryptor) -> None:
        """``source`` is the CloudEvents source, e.g. ``/desk/intake``."""
        self.source = source
        self._encryptor = encryptor

    async def add(
        self, session: DatabaseSession, event: Event, *, subject: str, key: str, seq: int, time: datetime | None = None
    ) -> str:
        """Add ``event`` in this transaction, with routing key ``<event name>.<key>``; return the event's id.

        Raises KeyError for a receiver without a public key.
        """
        row = self.row(event, subject=subject, key=key, seq=seq, time=time)
        await session.execute(_ADD_TO_OUTBOX, row)
        notify_after_commit(session)
        return str(row["id"])

    def row(self, event: Event, *, subject: str, key: str, seq: int, time: datetime | None = None) -> dict[str, object]:
        """Return the row of the outbox for an event, as for :meth:`add`; the caller inserts it and notifies."""
        now = datetime.now(UTC)
        event_id = str(uuid.uuid4())
        sealed = self._encryptor.encrypt(event.model_dump_json().encode(), event_id, event.receivers_of(key))
        envelope = Envelope(
            id=event_id,
            source=self.source,
            type=event.type(),
            subject=subject,
            time=time or now,
            seq=seq,
            data=Jwe.model_validate(sealed),
        )
        return {
            "id": envelope.id,
            "exchange": event.exchange,
            "routing_key": f"{event.name}.{key}",
            "type": envelope.type,
            "subject": envelope.subject,
            "body": envelope.model_dump_json().encode(),
            "created_at": now,
            "next_try_at": now,
            "tries": 0,
            "traceparent": current_traceparent(),
        }

    async def claim(self, session: DatabaseSession, limit: int) -> list[Message]:
        """Lock up to ``limit`` unsent rows that are due. Rows that another relay has locked are skipped."""
        rows = (await session.execute(_CLAIM, {"now": datetime.now(UTC), "most": limit})).all()
        return [
            Message(row.id, row.exchange, row.routing_key, row.type, row.body, traceparent=row.traceparent)
            for row in rows
        ]

    async def mark_sent(self, session: DatabaseSession, ids: Sequence[str]) -> None:
        """Mark these events as confirmed by the broker."""
        await session.execute(_MARK_SENT, {"ids": list(ids), "sent_at": datetime.now(UTC)})

    async def schedule_retry(self, session: DatabaseSession, ids: Sequence[str]) -> None:
        """Schedule the next attempt: 1 s after the first failure, twice as long each time, at most 15 s."""
        now = datetime.now(UTC)
        rows = (await session.execute(select(outbox.c.id, outbox.c.tries).where(outbox.c.id.in_(ids)))).all()
        for row in rows:
            wait = min(timedelta(seconds=2 ** min(row.tries, 10)), MAX_BACK_OFF)
            await session.execute(
                update(outbox).where(outbox.c.id == row.id).values(tries=row.tries + 1, next_try_at=now + wait)
            )

    async def backlog(self, session: DatabaseSession) -> tuple[int, float]:
        """Return the number of unsent events and the age of the oldest in seconds."""
        count, oldest = (await session.execute(_BACKLOG)).one()
        return count, (datetime.now(UTC) - oldest).total_seconds() if oldest is not None else 0.0


async def record_in_inbox(session: DatabaseSession, event_id: str) -> bool:
    """Add an event to the inbox. Return False if it is there already, so that its effect must not happen again."""
    values = {"event_id": event_id, "received_at": datetime.now(UTC)}
    inserted = await session.execute(_ADD_TO_INBOX[session.dialect], values)
    return inserted.first() is not None


async def erase_events(session: DatabaseSession, subject: str) -> None:
    """Empty the bodies of the events about a subject that were sent, and delete those that were not.

    Call it before the erasure itself is added. It waits for a relay that is publishing one of them.
    """
    of_subject = outbox.c.subject == subject
    await session.execute(delete(outbox).where(of_subject, outbox.c.sent_at.is_(None)))
    await session.execute(update(outbox).where(of_subject, outbox.c.body != b"").values(body=b""))


async def prune(session: DatabaseSession, limit: int) -> int:
    """Delete up to ``limit`` events sent more than a day ago, and as many received more than a week ago.

    Return the larger number of the two: if it is ``limit``, there may be more. Rows that another replica is deleting
    are skipped.
    """
    now = datetime.now(UTC)
    sent = await _delete_oldest(session, outbox, outbox.c.sent_at, now - SENT_KEPT, limit)
    return max(sent, await _delete_oldest(session, inbox, inbox.c.received_at, now - RECEIVED_KEPT, limit))


async def _delete_oldest(
    session: DatabaseSession, table: Table, at: Column[datetime], before: datetime, limit: int
) -> int:
    """Delete rows in the order of an index, so that a large backlog costs no more for each row than a small one."""
    [key] = table.primary_key.columns
    old = select(key).where(at < before).order_by(at).limit(limit).with_for_update(skip_locked=True).cte("old")
    deleted = await session.execute(delete(table).where(key.in_(select(old.c[key.name]))).returning(key))
    return len(deleted.all())
