"""The ledger of look-ups. Each row contains the hash of the row before it, so that every later change can be found.

The rows are chained by a plain hash. The end of the chain is sealed with a key that only the service has. A person who
can write to the database but does not have the key can therefore neither rewrite the chain nor shorten it.
"""

import asyncio
import dataclasses
import hashlib
import hmac
import json
import uuid
from collections.abc import Awaitable
from datetime import UTC

import structlog

from desk.chassis.crypto import Vault
from desk.database import Database
from desk.registry_gateway.domain import Lookup
from desk.registry_gateway.store import APPEND_IF_CURRENT, Head, LookupStore, Row, Seen, row_values

log = structlog.get_logger(__name__)

LIST_LIMIT = 50
_running: set[asyncio.Future[None]] = set()


class LedgerBrokenError(Exception):
    """The ledger was changed; the text says where."""


class Ledger:
    """Appends look-ups in one order, also when several replicas write."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault
        self._turn = asyncio.Lock()  # the head's row is locked anyway; this keeps waiting writers off the connections
        self._last: Head | None = None
        """The head after our last append. Usually it is still the head, and need not be read again."""

    async def open(self) -> None:
        """Seal the chain after a migration, which does not have the key. Raises LedgerBrokenError."""
        async with self._database.transaction() as session:
            store = LookupStore(session)
            head = await store.read_head(lock=True)
            if head is None:
                raise LedgerBrokenError("the ledger has no head: its row was deleted after the migration")
            if not head.seal:
                await store.update_head(self._sealed(head.seq, head.row_hash))
                log.warning("ledger sealed after a migration", seq=head.seq, row_hash=head.row_hash)

    async def record(self, made: Lookup) -> None:
        """Append a look-up in its own transaction, because an error response rolls back the request's transaction.

        Also completes if the caller is cancelled.
        """
        await _run_to_completion(self._append(made))

    async def _append(self, made: Lookup) -> None:
        async with self._turn:
            row = await self._append_after_last(made) or await self._append_after_head(made)
            self._last = self._sealed(row.seq, row.row_hash)
        # The log is stored elsewhere: its last line shows whether the whole ledger was restored to an earlier day.
        log.info("look-up recorded", purpose=made.purpose, outcome=made.outcome, seq=row.seq, row_hash=row.row_hash)

    async def _append_after_last(self, made: Lookup) -> Row | None:
        """Append in one statement; return None if another replica has appended a row since."""
        if self._last is None:
            return None
        row = _chained(made, self._last)
        written = await self._database.execute_autocommit(
            APPEND_IF_CURRENT, row_values(row, self._sealed(row.seq, row.row_hash).seal)
        )
        return row if written == 1 else None

    async def _append_after_head(self, made: Lookup) -> Row:
        async with self._database.transaction() as session:
            store = LookupStore(session)
            head = await store.read_head(lock=True)
            if head is None or not self._is_sealed(head):
                raise LedgerBrokenError("the ledger's head is not ours; see desk-registry ledger verify")
            row = _chained(made, head)
            await store.append(row, self._sealed(row.seq, row.row_hash).seal)
        return row

    async def list_newest(self, number_index: str) -> list[Seen]:
        """List the latest look-ups of one number, newest first."""
        async with self._database.transaction() as session:
            return await LookupStore(session).list_newest(number_index, LIST_LIMIT)

    async def verify(self) -> Head:
        """Check the whole chain and return its end. Raises LedgerBrokenError with the first error.

        The service may write meanwhile; only the last rows are checked with the head locked.
        """
        async with self._database.transaction() as session:
            end = await _check_rows(LookupStore(session), _BEGINNING)
        async with self._database.transaction() as session:
            store = LookupStore(session)
            head = await store.read_head(lock=True)
            end = await _check_rows(store, end)
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


async def _check_rows(store: LookupStore, start: Head) -> Head:
    """Check the rows after ``start`` and return the last one. Raises LedgerBrokenError."""
    seq, row_hash = start.seq, start.row_hash
    async for row in store.rows_after(seq):
        if row.seq != seq + 1:
            raise LedgerBrokenError(f"row {seq + 1} is missing: after row {seq} comes row {row.seq}")
        if row.prev_hash != row_hash:
            raise LedgerBrokenError(f"row {row.seq} does not follow row {seq}: one of them is not what was written")
        if row.row_hash != hash_row(row):
            raise LedgerBrokenError(f"row {row.seq} was changed")
        seq, row_hash = row.seq, row.row_hash
    return Head(seq, row_hash, "")


def hash_row(row: Row) -> str:
    """Return the hash of a row's content, its number and the hash before it. Migration 0002 computes the same."""
    at = row.at.astimezone(UTC).isoformat(timespec="microseconds")
    content = [row.seq, row.prev_hash, row.id, at, row.purpose, row.number_index, row.source_index, row.outcome]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


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
    return dataclasses.replace(unhashed, row_hash=hash_row(unhashed))


async def _run_to_completion(work: Awaitable[None]) -> None:
    """Await work that continues if the caller is cancelled."""
    running = asyncio.ensure_future(work)
    _running.add(running)  # the event loop itself holds tasks only weakly
    running.add_done_callback(_running.discard)
    await asyncio.shield(running)
