"""Queues messages, with few statements: they are executed for every submission."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    RowMapping,
    Select,
    String,
    bindparam,
    exists,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from desk.chassis.crypto import Vault
from desk.chassis.tracing import current_traceparent
from desk.database import DatabaseSession, DataKeys, data_key, insert_into, insert_together, notify_after_commit
from desk.notifier.domain import CODES, SUPERSEDABLE, USUAL, ChannelName, SendingPolicy, State, Template, Trouble
from desk.notifier.store.personal import PersonalData
from desk.notifier.store.tables import LOCK_REQUEST, erasure, may_become, message, request_name
from desk.security.data_keys import DataKey, KeyWrapper

Limits = Sequence[tuple[int, timedelta]]
"""How many messages in which time."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A rendered notice for one channel. ``seq`` is the number of its event within the request."""

    event_id: str
    tracking_code: str
    seq: int
    template: Template
    channel: ChannelName
    wording: str
    personal: PersonalData = field(repr=False)
    obstacle: Trouble | None = None
    """Why no attempt is made; None for a message that is sent."""
    priority: int = USUAL
    expires_at: datetime | None = None
    """When the message becomes useless; no attempt is made after it."""


class MessageStore:
    """New messages in one session."""

    def __init__(self, session: DatabaseSession, vault: Vault) -> None:
        self._session = session
        self._vault = vault
        self._dialect = session.dialect

    async def queue(self, notices: Sequence[Notice], policy: SendingPolicy, *, supersede: bool = False) -> bool:
        """Add the messages of one event, unless the event already has one of this template and channel.

        Returns False and adds nothing if the data of the request was erased; if not, an erasure waits for this
        transaction. ``supersede`` drops messages that the event makes out of date. A message with an obstacle is only
        recorded.
        """
        first, now = notices[0], datetime.now(UTC)
        recipients = [recipient_indexes(each.personal, each.channel, self._vault) for each in notices]
        await self._lock(first.tracking_code, recipients)
        limits = tuple(tuple(policy.limits_of(each.channel)) for each in notices)
        found = await self._look_up(first.tracking_code, recipients, limits, now)
        if found["erased"]:
            return False
        if supersede:
            await self.supersede(first.tracking_code, first.seq)
        wrapped: bytes | None = found["wrapped"]
        keys = DataKeys(self._vault)
        key = keys.unwrap(first.tracking_code, wrapped) if wrapped else DataKey.generate(first.tracking_code)
        rows = []
        for place, (notice, (recipient, *_)) in enumerate(zip(notices, recipients, strict=True)):
            earlier = [found[f"earlier_{place}_{each}"] for each in range(len(limits[place]))]
            due = policy.send_at(notice.template, notice.channel, now, earlier)
            rows.append(self._row(notice, recipient, key, now, due))
        if wrapped:
            await self._add(rows)
        else:  # the request is locked, so no other transaction creates its key, and it has no messages yet
            messages = [(message, row) for row in rows]
            await insert_together(self._session, (data_key, keys.row(key)), *messages, unique="id")
            notify_after_commit(self._session)
        return True

    async def queue_code(self, notice: Notice) -> None:
        """Add the message of a code, which is due at once. It belongs to no request: the vault encrypts it."""
        recipient, *_ = recipient_indexes(notice.personal, notice.channel, self._vault)
        now = datetime.now(UTC)
        await self._add([self._row(notice, recipient, self._vault, now, now)])

    async def supersede(self, tracking_code: str, seq: int) -> None:
        """Drop the request's messages without an attempt that its event ``seq`` makes out of date."""
        connection = await self._session.connection()
        await connection.execute(_SUPERSEDE, {"code": tracking_code, "before_seq": seq})

    async def _lock(self, tracking_code: str, recipients: Sequence[Sequence[str]]) -> None:
        """Wait for the erasure of the request, and for other transactions that queue messages to these recipients.

        So they keep the limits of a recipient together. The hashes of a recipient under all index keys give one
        number. SQLite has one writer at a time.
        """
        if self._dialect == "postgresql":
            numbers = sorted({int(min(hashes)[:15], 16) for hashes in recipients})  # in one order: no deadlock
            values: dict[str, object] = {"request": request_name(tracking_code)}
            values |= {f"recipient_{place}": each for place, each in enumerate(numbers)}
            await (await self._session.connection()).execute(_lock_statement(len(numbers)), values)

    async def _look_up(
        self, tracking_code: str, recipients: Sequence[Sequence[str]], limits: tuple[Limits, ...], now: datetime
    ) -> RowMapping:
        """Return what is known of the request and of the recipients, in a statement after the lock, which sees it."""
        values: dict[str, object] = {"code": tracking_code}
        for place, hashes in enumerate(recipients):
            values |= {f"recipient_{place}_{each}": value for each, value in enumerate(hashes)}
            values |= {f"since_{place}_{each}": now - window for each, (_, window) in enumerate(limits[place])}
        statement = _look_up_statement(limits, len(recipients[0]))
        found: RowMapping = (await (await self._session.connection()).execute(statement, values)).mappings().one()
        return found

    def _row(
        self, notice: Notice, recipient: str, key: KeyWrapper | DataKey, now: datetime, due: datetime
    ) -> dict[str, object]:
        message_id = uuid.uuid4()
        return {
            "id": message_id,
            "event_id": notice.event_id,
            "tracking_code": notice.tracking_code,
            "seq": notice.seq,
            "template": notice.template,
            "channel": notice.channel,
            "wording": notice.wording,
            "state": State.QUEUED if notice.obstacle is None else State.SKIPPED,
            "last_error": notice.obstacle,
            "personal": notice.personal.encrypt(key, message_id),
            "created_at": now,
            "next_try_at": due,
            "recipient_index": recipient,
            "index_key": self._vault.index_key_ids[0],
            "due_at": due,
            "tries": 0,
            "priority": notice.priority,
            "expires_at": notice.expires_at,
            "traceparent": current_traceparent(),
        }

    async def _add(self, rows: Sequence[Mapping[str, object]]) -> None:
        await (await self._session.connection()).execute(_insert_statement(self._dialect), rows)
        notify_after_commit(self._session)


def recipient_indexes(personal: PersonalData, channel: ChannelName, vault: Vault) -> list[str]:
    """Return the keyed hash of a recipient under each index key, the current one first."""
    return vault.indexes(personal.recipient, f"message.recipient.{channel}")


# Built once each, because to build a statement costs more than to execute it.

_SUPERSEDE = (
    update(message)
    .where(
        message.c.tracking_code == bindparam("code"),
        message.c.seq < bindparam("before_seq"),
        message.c.tries == 0,
        message.c.template.in_(sorted(SUPERSEDABLE)),
        may_become(State.OVERTAKEN),
    )
    .values(state=State.OVERTAKEN)
)


@lru_cache
def _lock_statement(recipients: int) -> Select[Any]:
    """Return the statement that locks the request and then its recipients, in the order of its columns."""
    numbers = [bindparam(f"recipient_{place}", type_=BigInteger) for place in range(recipients)]
    return select(LOCK_REQUEST, *map(func.pg_advisory_xact_lock, numbers))


@lru_cache
def _look_up_statement(limits: tuple[Limits, ...], index_keys: int) -> Select[Any]:
    """Return the query for a request's erasure and key, and for the message that is the last one each limit allows.

    Each subquery reads no more rows of the index than the limit allows messages.
    """
    code = bindparam("code", type_=String)
    wrapped = select(data_key.c.wrapped).where(data_key.c.id == code).scalar_subquery()
    columns: list[ColumnElement[Any]] = [
        exists().where(erasure.c.tracking_code == code).label("erased"),
        wrapped.label("wrapped"),
    ]
    for place, each in enumerate(limits):
        hashes = [message.c.recipient_index == bindparam(f"recipient_{place}_{key}") for key in range(index_keys)]
        for number, (most, _) in enumerate(each):
            earlier = (
                select(message.c.due_at)
                .where(
                    or_(*hashes),
                    message.c.due_at > bindparam(f"since_{place}_{number}"),
                    message.c.template.not_in(sorted(CODES)),
                )
                .order_by(message.c.due_at.desc())
                .offset(most - 1)
                .limit(1)
            )
            columns.append(earlier.scalar_subquery().label(f"earlier_{place}_{number}"))
    return select(*columns)


@lru_cache
def _insert_statement(dialect: str) -> postgresql.Insert | sqlite.Insert:
    return insert_into(dialect, message).on_conflict_do_nothing(index_elements=["event_id", "template", "channel"])
