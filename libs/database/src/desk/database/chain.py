"""Hash chains: each row of a table contains the hash of the row before it, so that every later change can be found.

The rows are chained by a plain hash. The end of the chain is sealed with a key that only the service has. A person who
can write to the database but does not have the key can therefore neither rewrite the chain nor shorten it.

Old rows may be pruned. The last of them, sealed as well, is then the start of the chain.
"""

import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BigInteger, Column, Integer, Row, Select, String, Table, bindparam, delete, select, update

from desk.database.database import Database
from desk.database.sessions import DatabaseSession
from desk.database.tables import insert_into, new_metadata

BEGINNING = "0" * 64
"""The hash before the first row."""
_HEAD, _START, _PAGE = 1, 2, 1_000

Seal = Callable[[str], Sequence[str]]
"""Returns the keyed hash of a text under each key, the current one first."""
RecordPruned = Callable[[DatabaseSession, str], Awaitable[None]]
"""Adds an entry that says which rows were pruned."""

audit_head = Table(
    "audit_head",
    new_metadata(),
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, nullable=False),
    Column("row_hash", String(64), nullable=False),
    Column("seal", String(64), nullable=False),
)
"""Row 1 is the last row of the chain, sealed with a key that the database does not have.

The migration creates it without a seal, and nothing else does: a row that is missing was deleted. Row 2, sealed too, is
the last row that was pruned, if any was.
"""


def chain_columns() -> list[Column[Any]]:
    """Return the columns of a row's place in the chain; they are empty until it has one."""
    return [Column("seq", BigInteger, unique=True), Column("prev_hash", String(64)), Column("row_hash", String(64))]


class ChainBrokenError(Exception):
    """A row or the end of a chain was changed; the text says where."""


@dataclass(frozen=True, slots=True)
class Head:
    """The end of a chain."""

    seq: int
    row_hash: str
    seal: str = ""

    @property
    def is_beginning(self) -> bool:
        """Whether this is the end that the migration creates, before the first row."""
        return self == Head(0, BEGINNING)


@dataclass(frozen=True, slots=True)
class Chain:
    """The chain of one table. ``content`` are the columns that the hash covers, next to the row's place."""

    table: Table
    content: Sequence[str]
    seal: Seal
    head: Table = audit_head
    subject: str = "subject"
    """The column that says what an entry is about."""

    def hash(self, seq: int, prev_hash: str, values: Sequence[object]) -> str:
        """Return the hash of a row's number, the hash before it and its content."""
        return hashlib.sha256(json.dumps([seq, prev_hash, *map(_plain, values)]).encode()).hexdigest()

    def sealed(self, seq: int, row_hash: str) -> Head:
        """Return the end of the chain with its seal."""
        return Head(seq, row_hash, self.seal(f"{seq} {row_hash}")[0])

    def _sealed_start(self, seq: int, row_hash: str) -> Head:
        return Head(seq, row_hash, self.seal(f"start {seq} {row_hash}")[0])

    def is_sealed(self, head: Head) -> bool:
        """Return whether the service itself wrote this end of the chain."""
        return self._has_seal(head, f"{head.seq} {head.row_hash}")

    def _has_seal(self, head: Head, text: str) -> bool:
        return any(hmac.compare_digest(head.seal, seal) for seal in self.seal(text))

    async def verify(self, database: Database) -> Head:
        """Check the whole chain and return its end. Raises ChainBrokenError with the first error.

        The service may write meanwhile; only the last rows are checked with the head locked.
        """
        async with database.read() as session:
            end = await self._check_from_start(session)
        async with database.transaction() as session:
            head = await self.read_head(session)
            end = await self._check_rows(session, end)
        if head is None:
            raise ChainBrokenError("the head is missing: its row was deleted after the migration")
        if not self.is_sealed(head) and not head.is_beginning:
            raise ChainBrokenError("the head was changed, or never sealed: the service seals it when it starts")
        if (head.seq, head.row_hash) != (end.seq, end.row_hash):
            raise ChainBrokenError(f"the chain ends at row {end.seq}, but row {head.seq} was the last one written")
        return head

    async def read_head(self, session: DatabaseSession, *, skip_locked: bool = False) -> Head | None:
        """Return the end of the chain, locked until the transaction ends; None if it is missing, or locked."""
        query = self._place(_HEAD).with_for_update(skip_locked=skip_locked)
        found = (await session.execute(query)).one_or_none()
        return Head(*found) if found is not None else None

    async def read_start(self, session: DatabaseSession) -> Head:
        """Return the last row that was pruned; the chain starts after it. Raises ChainBrokenError if it was changed."""
        found = (await session.execute(self._place(_START))).one_or_none()
        if found is None:
            return Head(0, BEGINNING)
        start = Head(*found)
        if not self._has_seal(start, f"start {start.seq} {start.row_hash}"):
            raise ChainBrokenError("the start was changed")
        return start

    def _place(self, number: int) -> Select[Any]:
        columns = self.head.c.seq, self.head.c.row_hash, self.head.c.seal
        return select(*columns).where(self.head.c.id == number)

    async def extend(self, database: Database, limit: int) -> Head | None:
        """Append up to ``limit`` rows that have no place yet, the oldest first; return the new end.

        None if there is no such row, or another replica is appending. Raises ChainBrokenError if the head was changed.
        """
        async with database.read() as session:
            if not await self._unchained(session, 1):
                return None
        async with database.transaction() as session:
            head = await self._head_to_extend(session)
            # Another replica may have chained the rows before the head was locked.
            rows = await self._unchained(session, limit) if head is not None else []
            if head is None or not rows:
                return None
            end = await self._append(session, head, rows)
            values = {"seq": end.seq, "row_hash": end.row_hash, "seal": end.seal}
            await session.execute(update(self.head).where(self.head.c.id == _HEAD).values(values))
        return end

    async def _head_to_extend(self, session: DatabaseSession) -> Head | None:
        head = await self.read_head(session, skip_locked=True)
        if head is None and (await session.execute(select(self.head.c.id))).first() is None:
            raise ChainBrokenError("the head is missing: its row was deleted after the migration")
        if head is not None and not self.is_sealed(head) and not await self._is_new(session, head):
            raise ChainBrokenError("the head was changed")
        return head

    async def _is_new(self, session: DatabaseSession, head: Head) -> bool:
        any_row = select(self.table.c.seq).where(self.table.c.seq.is_not(None)).limit(1)
        return head.is_beginning and (await session.execute(any_row)).first() is None

    async def _unchained(self, session: DatabaseSession, limit: int) -> Sequence[Row[Any]]:
        columns = [self.table.c[name] for name in ("id", *self.content)]
        query = select(*dict.fromkeys(columns)).where(self.table.c.seq.is_(None))
        return (await session.execute(query.order_by(self.table.c.at, self.table.c.id).limit(limit))).all()

    async def _append(self, session: DatabaseSession, head: Head, rows: Sequence[Row[Any]]) -> Head:
        seq, row_hash = head.seq, head.row_hash
        places = []
        for row in rows:
            seq, prev_hash = seq + 1, row_hash
            row_hash = self.hash(seq, prev_hash, [getattr(row, name) for name in self.content])
            places.append({"row": row.id, "seq": seq, "prev_hash": prev_hash, "row_hash": row_hash})
        await session.execute(update(self.table).where(self.table.c.id == bindparam("row")), places)
        return self.sealed(seq, row_hash)

    async def prune(self, database: Database, before: datetime, record: RecordPruned | None = None) -> Head | None:
        """Delete the oldest rows, up to 1,000 from ``before`` that time; return the new start of the chain.

        The rows are checked first, so that pruning hides no change. ``record`` takes part in the transaction. A start
        that is sealed with a former key is sealed again. None if there was nothing to do, or another replica is
        writing. Raises ChainBrokenError.
        """
        async with database.transaction() as session:
            if await self._head_to_extend(session) is None:
                return None
            start = await self.read_start(session)
            last = await self._last_before(session, start, before)
            new = self._sealed_start(last.seq, last.row_hash)
            if not new.seq or new == start:
                return None
            await session.execute(delete(self.table).where(self.table.c.seq <= new.seq))
            await self._write_start(session, new)
            if record is not None and new.seq > start.seq:
                await record(session, f"entries {start.seq + 1} to {new.seq}")
        return new

    async def _last_before(self, session: DatabaseSession, start: Head, before: datetime) -> Head:
        last = start
        async for row in self._checked_rows(session, start):
            if row.at >= before or row.seq > start.seq + _PAGE:
                break
            last = Head(row.seq, row.row_hash)
        return last

    async def _write_start(self, session: DatabaseSession, start: Head) -> None:
        values = {"seq": start.seq, "row_hash": start.row_hash, "seal": start.seal}
        new = insert_into(session.dialect, self.head).values(id=_START, **values)
        await session.execute(new.on_conflict_do_update(index_elements=["id"], set_=values))

    async def lines_about(self, session: DatabaseSession, subject: str) -> list[str]:
        """Return the entries about a subject as lines of text, the oldest first."""
        columns = [self.table.c[name] for name in self.content if name != "id"]
        query = select(*columns).where(self.table.c[self.subject] == subject).order_by(self.table.c.at)
        rows = (await session.execute(query)).all()
        return [" ".join(f"{name}={_plain(value)}" for name, value in row._mapping.items() if value) for row in rows]  # noqa: SLF001 - public, despite its name

    async def _check_rows(self, session: DatabaseSession, start: Head) -> Head:
        """Check the rows after ``start`` and return the last one. Raises ChainBrokenError."""
        end = start
        async for row in self._checked_rows(session, start):
            end = Head(row.seq, row.row_hash)
        return end

    async def _check_from_start(self, session: DatabaseSession) -> Head:
        """Check all rows, again if some of them were pruned meanwhile. Raises ChainBrokenError."""
        while True:
            start = await self.read_start(session)
            try:
                return await self._check_rows(session, start)
            except ChainBrokenError:
                if await self.read_start(session) == start:
                    raise

    async def _checked_rows(self, session: DatabaseSession, start: Head) -> AsyncIterator[Row[Any]]:
        """Yield the rows after ``start``, each once it is checked. Raises ChainBrokenError."""
        seq, row_hash = start.seq, start.row_hash
        async for row in self._rows_after(session, seq):
            if row.seq != seq + 1:
                raise ChainBrokenError(f"row {seq + 1} is missing: after row {seq} comes row {row.seq}")
            if row.prev_hash != row_hash:
                raise ChainBrokenError(f"row {row.seq} does not follow row {seq}: one of them is not what was written")
            if row.row_hash != self.hash(row.seq, row.prev_hash, [getattr(row, name) for name in self.content]):
                raise ChainBrokenError(f"row {row.seq} was changed")
            yield row
            seq, row_hash = row.seq, row.row_hash

    async def _rows_after(self, session: DatabaseSession, seq: int) -> AsyncIterator[Row[Any]]:
        columns = [self.table.c[name] for name in ("seq", "prev_hash", "row_hash", *self.content)]
        while True:
            query = select(*columns).where(self.table.c.seq > seq).order_by(self.table.c.seq).limit(_PAGE)
            page = (await session.execute(query)).all()
            for row in page:
                yield row
            if len(page) < _PAGE:
                return
            seq = page[-1].seq


def _plain(value: object) -> object:
    return value.astimezone(UTC).isoformat(timespec="microseconds") if isinstance(value, datetime) else value
