"""The ledger of look-ups: a hash chain, to which each look-up is appended before its answer is given."""

import asyncio
import uuid
from collections.abc import Awaitable, Sequence

import structlog
from sqlalchemy.exc import SQLAlchemyError

from desk.chassis.crypto import Vault
from desk.database import Chain, ChainBrokenError, Database, Head
from desk.registry_gateway.domain import Lookup
from desk.registry_gateway.store import (
    APPEND_IF_CURRENT,
    LookupStore,
    Row,
    Seen,
    ledger_head,
    lookup,
    read_head,
    row_values,
)

log = structlog.get_logger(__name__)

LIST_LIMIT = 50
APPEND_ATTEMPTS = 5
_running: set[asyncio.Future[None]] = set()


class Ledger:
    """Appends look-ups in one order, also when several replicas write."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._chain = ledger_chain(vault)
        self._turn = asyncio.Lock()  # the head's row is locked anyway; this keeps waiting writers off the connections
        self._last: Head | None = None
        """The head after our last append."""
        self._opened = False
        self._alone = True
        """Whether that was still the head at the next append: then it need not be read again."""

    async def open(self) -> None:
        """Seal the chain after a migration, which does not have the key. Raises ChainBrokenError."""
        async with self._database.transaction() as session:
            store = LookupStore(session)
            head = await store.read_head(lock=True)
            if head is None:
                raise ChainBrokenError("the ledger has no head: its row was deleted after the migration")
            if not head.seal:
                await store.update_head(self._chain.sealed(head.seq, head.row_hash))
                log.warning("ledger sealed after a migration", seq=head.seq, row_hash=head.row_hash)
        self._opened = True

    async def require_open(self) -> None:
        """Open the ledger if it is not open. Raises ChainBrokenError or what the database raises."""
        if not self._opened:
            await self.open()

    async def try_open(self) -> None:
        """Open the ledger, unless its tables are missing or the database is unavailable: then it is opened later.

        Raises ChainBrokenError.
        """
        try:
            await self.open()
        except (SQLAlchemyError, OSError) as error:
            log.warning("the ledger is not open yet", error=type(error).__name__)

    async def record(self, made: Lookup) -> None:
        """Append a look-up in its own transaction, because an error response rolls back the request's transaction.

        Also completes if the caller is cancelled.
        """
        await _run_to_completion(self._append(made))

    async def _append(self, made: Lookup) -> None:
        async with self._turn:
            row = await self._append_in_one_statement(made) or await self._append_with_lock(made)
            self._last = self._chain.sealed(row.seq, row.row_hash)
        # The log is stored elsewhere: its last line shows whether the whole ledger was restored to an earlier day.
        log.info("look-up recorded", purpose=made.purpose, outcome=made.outcome, seq=row.seq, row_hash=row.row_hash)

    async def _append_in_one_statement(self, made: Lookup) -> Row | None:
        """Append without holding the head's lock between statements: all replicas wait for it.

        Return None on SQLite, or if other replicas have appended a row between each reading and writing.
        """
        head = self._last if self._alone and self._last is not None else await self._read_head()
        self._alone = head == self._last
        for _ in range(APPEND_ATTEMPTS):
            row = self._chained(made, head)
            values = row_values(row, self._chain.sealed(row.seq, row.row_hash).seal)
            written = await self._database.execute_autocommit(APPEND_IF_CURRENT, values)
            if written == 1:
                return row
            if written is None:
                return None
            self._alone, head = False, await self._read_head()
        return None

    async def _read_head(self) -> Head:
        async with self._database.statements() as connection:
            return self._own(await read_head(connection))

    async def _append_with_lock(self, made: Lookup) -> Row:
        async with self._database.transaction() as session:
            store = LookupStore(session)
            row = self._chained(made, self._own(await store.read_head(lock=True)))
            await store.append(row, self._chain.sealed(row.seq, row.row_hash).seal)
        return row

    def _own(self, head: Head | None) -> Head:
        """Return the head if this service wrote it. Raises ChainBrokenError."""
        if head is None or not self._chain.is_sealed(head):
            raise ChainBrokenError("the ledger's head is not ours; see desk-audit verify")
        return head

    async def list_newest(self, number_indexes: Sequence[str]) -> list[Seen]:
        """List the latest look-ups of one number, by its hash under each index key, newest first."""
        async with self._database.transaction() as session:
            return await LookupStore(session).list_newest(number_indexes, LIST_LIMIT)

    async def verify(self) -> Head:
        """Check the whole chain and return its end. Raises ChainBrokenError with the first error."""
        return await self._chain.verify(self._database)

    def _chained(self, made: Lookup, head: Head) -> Row:
        content = (
            str(uuid.uuid4()),
            made.at,
            made.purpose.value,
            made.number_index,
            made.source_index,
            made.outcome.value,
        )
        seq, prev_hash = head.seq + 1, head.row_hash
        return Row(*content, seq, prev_hash, self._chain.hash(seq, prev_hash, content))


def ledger_chain(vault: Vault) -> Chain:
    """Return the chain of the ledger. Migration 0002 computes the same hashes."""
    content = ("id", "at", "purpose", "number_index", "source_index", "outcome")
    return Chain(lookup, content, lambda text: vault.indexes(text, "ledger head"), ledger_head, subject="number_index")


async def _run_to_completion(work: Awaitable[None]) -> None:
    """Await work that continues if the caller is cancelled."""
    running = asyncio.ensure_future(work)
    _running.add(running)  # the event loop itself holds tasks only weakly
    running.add_done_callback(_running.discard)
    await asyncio.shield(running)
