"""The ledger of look-ups: each row carries the hash of the one before, so that none can change, go or move unnoticed.

The rows are chained by a plain hash; the end of the chain is sealed by a key that only the service has. Whoever can
write to the database but has no key can therefore neither rewrite the chain nor cut it off.
"""

import asyncio
import dataclasses
import hashlib
import hmac
import json
import uuid
from collections.abc import Awaitable
from datetime import UTC
from typing import TypeVar

import structlog

from desk.chassis.crypto import Vault
from desk.database import Database
from desk.registry_gateway.domain import Lookup
from desk.registry_gateway.store import MOVE_AND_ADD, Head, LookupStore, Row, Seen, values_of

log = structlog.get_logger(__name__)

T = TypeVar("T")

SHOWN_AT_MOST = 50
_running: set[object] = set()


class LedgerBrokenError(Exception):
    """The ledger is not what was written; the text says where."""


class Ledger:
    """Writes look-ups down, one after the other, whoever else writes."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault
        self._turn = asyncio.Lock()  # the head's row is locked anyway; this keeps waiters off the connections
        self._last: Head | None = None
        """Where the chain ended when we wrote last: mostly it still does, and need not be read again."""

    async def open(self) -> None:
        """Seal a chain that came out of a migration, which has no key."""
        async with self._database.transaction() as session:
            store = LookupStore(session)
            head = await store.head(lock=True)
            if head is None:
                raise LedgerBrokenError("the ledger has no head: it was taken away after the migration")
            if not head.seal:
                await store.move_head(self._sealed(head.seq, head.row_hash))
                log.warning("ledger sealed as the migration left it", seq=head.seq, row_hash=head.row_hash)

    async def record(self, made: Lookup) -> None:
        """Write one look-up down in a transaction of its own: an error answer would roll back the request's."""
        await _to_the_end(self._append(made))

    async def _append(self, made: Lookup) -> None:
        async with self._turn:
            row = await self._behind_our_last(made) or await self._behind_the_head(made)
            self._last = self._sealed(row.seq, row.row_hash)
        # The log is kept elsewhere: its last line tells whether the whole ledger was put back to an earlier day.
        log.info("registry asked", purpose=made.purpose, outcome=made.outcome, seq=row.seq, row_hash=row.row_hash)

    async def _behind_our_last(self, made: Lookup) -> Row | None:
        """Try the short way; None if another replica has written since."""
        if self._last is None:
            return None
        row = _chained(made, self._last)
        written = await self._database.execute_autocommit(
            MOVE_AND_ADD, values_of(row, self._sealed(row.seq, row.row_hash).seal)
        )
        return row if written == 1 else None

    async def _behind_the_head(self, made: Lookup) -> Row:
        async with self._database.transaction() as session:
            store = LookupStore(session)
            head = await store.head(lock=True)
            if head is None or not self._is_sealed(head):
                raise LedgerBrokenError("the ledger's head is not ours; see desk-registry ledger verify")
            row = _chained(made, head)
            await store.append(row, self._sealed(row.seq, row.row_hash).seal)
        return row

    async def newest(self, number_index: str) -> list[Seen]:
        """List the latest look-ups of one number."""
        async with self._database.transaction() as session:
            return await LookupStore(session).newest(number_index, SHOWN_AT_MOST)

    async def verify(self) -> Head:
        """Walk the whole chain and return its end. Raises LedgerBrokenError with the first fault.

        The service goes on writing meanwhile; only the last rows are looked at while nobody can.
        """
        async with self._database.transaction() as session:
            end = await _walk(LookupStore(session), _BEGINNING)
        async with self._database.transaction() as session:
            store = LookupStore(session)
            head = await store.head(lock=True)
            end = await _walk(store, end)
        if head is None:
            raise LedgerBrokenError("the head is missing")
        if not self._is_sealed(head):
            raise LedgerBrokenError("the head was changed, or never sealed: the service seals it when it starts")
        if (head.seq, head.row_hash) != (end.seq, end.row_hash):
            raise LedgerBrokenError(f"the chain ends at row {end.seq}, but row {head.seq} was the last one written")
        return head

    def _sealed(self, seq: int, row_hash: str) -> Head:
        return Head(seq, row_hash, self._vault.index(f"{seq} {row_hash}", "ledger head"))

    def _is_sealed(self, head: Head) -> bool:
        return hmac.compare_digest(head.seal, self._sealed(head.seq, head.row_hash).seal)


_BEGINNING = Head(seq=0, row_hash="0" * 64, seal="")


async def _walk(store: LookupStore, start: Head) -> Head:
    """Follow the chain from a place to its end. Raises LedgerBrokenError."""
    seq, row_hash = start.seq, start.row_hash
    async for row in store.after(seq):
        if row.seq != seq + 1:
            raise LedgerBrokenError(f"row {seq + 1} is missing: after row {seq} comes row {row.seq}")
        if row.prev_hash != row_hash:
            raise LedgerBrokenError(f"row {row.seq} does not follow row {seq}: one of them is not what was written")
        if row.row_hash != hash_of(row):
            raise LedgerBrokenError(f"row {row.seq} was changed")
        seq, row_hash = row.seq, row.row_hash
    return Head(seq, row_hash, "")


def hash_of(row: Row) -> str:
    """Return the hash of everything a row says, its place and the row before included. Also in migration 0002."""
    at = row.at.astimezone(UTC).isoformat(timespec="microseconds")
    said = [row.seq, row.prev_hash, row.id, at, row.purpose, row.number_index, row.source_index, row.outcome]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def _chained(made: Lookup, head: Head) -> Row:
    unhashed = Row(
        id=str(uuid.uuid4()),
        at=made.at,
        purpose=made.purpose.value,
        number_index=made.number_index,
        source_index=made.source_index,
        outcome=made.outcome.value,
        seq=head.seq + 1,
        prev_hash=head.row_hash,
        row_hash="",
    )
    return dataclasses.replace(unhashed, row_hash=hash_of(unhashed))


async def _to_the_end(work: Awaitable[T]) -> T:
    """Await work that goes on although whoever waits for it is cancelled."""
    running = asyncio.ensure_future(work)
    _running.add(running)  # the event loop itself holds tasks only weakly
    running.add_done_callback(_running.discard)
    return await asyncio.shield(running)
