"""The ledger's tables: one row for each look-up, chained to the one before, and the head that the chain ends at."""

from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    BindParameter,
    Column,
    Index,
    Integer,
    String,
    Table,
    UniqueConstraint,
    bindparam,
    insert,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession

from desk.database import UtcDateTime, new_metadata
from desk.registry_gateway.domain import Outcome, Purpose

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
"""One row, which every writer locks: where the chain ends, sealed by a key the database does not have."""

_HEAD = 1
_PAGE = 1_000


@dataclass(frozen=True, slots=True)
class Row:
    """A look-up as it is stored."""

    id: str
    at: datetime
    purpose: str
    number_index: str
    source_index: str
    outcome: str
    seq: int
    prev_hash: str
    row_hash: str


@dataclass(frozen=True, slots=True)
class Head:
    """Where the chain ends."""

    seq: int
    row_hash: str
    seal: str


@dataclass(frozen=True, slots=True)
class Seen:
    """What the person concerned may see of a look-up."""

    at: datetime
    purpose: Purpose


def _new(name: str) -> BindParameter[Any]:
    """Take a value of the row to be added; the prefix keeps UPDATE from taking it for a column to be set."""
    return bindparam(f"new_{name}", type_=lookup.c[name].type)


_NAMES = tuple(column.name for column in lookup.c)
_MOVE = (
    update(ledger_head)
    .where(
        ledger_head.c.id == _HEAD,
        ledger_head.c.seq == _new("seq") - 1,
        ledger_head.c.row_hash == _new("prev_hash"),
    )
    .values(seq=_new("seq"), row_hash=_new("row_hash"), seal=bindparam("new_seal", type_=String))
)
_ADD = insert(lookup).from_select(_NAMES, select(*map(_new, _NAMES)))
_MOVED = _MOVE.returning(ledger_head.c.id).cte("moved")
MOVE_AND_ADD = insert(lookup).from_select(_NAMES, select(*map(_new, _NAMES)).select_from(_MOVED))
"""Both in one statement, which writes no row if the head is no longer where the row follows it; PostgreSQL only."""


def values_of(row: Row, seal: str) -> dict[str, Any]:
    """Return the values of the statements above."""
    return {f"new_{name}": value for name, value in asdict(row).items()} | {"new_seal": seal}


class LookupStore:
    """Look-ups as rows."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def head(self, *, lock: bool = False) -> Head | None:
        """Return the end of the chain; with ``lock``, nobody else can until this transaction ends."""
        query = select(ledger_head.c.seq, ledger_head.c.row_hash, ledger_head.c.seal).where(ledger_head.c.id == _HEAD)
        found = (await self._session.execute(query.with_for_update() if lock else query)).one_or_none()
        return Head(*found) if found is not None else None

    async def move_head(self, head: Head) -> None:
        """Say where the chain ends now."""
        values = {"seq": head.seq, "row_hash": head.row_hash, "seal": head.seal}
        await self._session.execute(update(ledger_head).where(ledger_head.c.id == _HEAD).values(values))

    async def append(self, row: Row, seal: str) -> None:
        """Write one look-up down and move the head behind it; whoever does has locked the head."""
        values = values_of(row, seal)
        await self._session.execute(_MOVE, values)
        await self._session.execute(_ADD, values)

    async def newest(self, number_index: str, most: int) -> list[Seen]:
        """List the look-ups of one number that were answered, newest first."""
        query = (
            select(lookup.c.at, lookup.c.purpose)
            .where(lookup.c.number_index == number_index, lookup.c.outcome != Outcome.UNANSWERED.value)
            .order_by(lookup.c.at.desc(), lookup.c.seq.desc())
            .limit(most)
        )
        rows = await self._session.execute(query)
        return [Seen(at, Purpose(purpose)) for at, purpose in rows]

    async def after(self, seq: int) -> AsyncIterator[Row]:
        """Give every row behind a place, in the chain's order."""
        columns = [lookup.c[name] for name in Row.__dataclass_fields__]
        while True:
            query = select(*columns).where(lookup.c.seq > seq).order_by(lookup.c.seq).limit(_PAGE)
            page = [Row(*found) for found in await self._session.execute(query)]
            for row in page:
                yield row
            if len(page) < _PAGE:
                return
            seq = page[-1].seq
