"""Reads and writes the rows of the ledger."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, String, bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from desk.database import DatabaseSession, Head
from desk.registry_gateway.domain import Outcome, Purpose
from desk.registry_gateway.store.tables import ledger_head, lookup

_HEAD = 1


@dataclass(frozen=True, slots=True)
class Row:
    """A stored look-up."""

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
class Seen:
    """The part of a look-up that the person concerned may see."""

    at: datetime
    purpose: Purpose


def _new(name: str) -> BindParameter[Any]:
    """Return a parameter for a column of the new row. The prefix keeps it apart from the columns that UPDATE sets."""
    return bindparam(f"new_{name}", type_=lookup.c[name].type)


_READ_HEAD = select(ledger_head.c.seq, ledger_head.c.row_hash, ledger_head.c.seal).where(ledger_head.c.id == _HEAD)
_NAMES = tuple(column.name for column in lookup.c)
_UPDATE_HEAD = (
    update(ledger_head)
    .where(
        ledger_head.c.id == _HEAD,
        ledger_head.c.seq == _new("seq") - 1,
        ledger_head.c.row_hash == _new("prev_hash"),
    )
    .values(seq=_new("seq"), row_hash=_new("row_hash"), seal=bindparam("new_seal", type_=String))
)
_INSERT_ROW = insert(lookup).from_select(_NAMES, select(*map(_new, _NAMES)))
_UPDATED = _UPDATE_HEAD.returning(ledger_head.c.id).cte("updated")
APPEND_IF_CURRENT = insert(lookup).from_select(_NAMES, select(*map(_new, _NAMES)).select_from(_UPDATED))
"""Update the head and insert the row in one statement; does nothing if another row was appended. PostgreSQL only."""


def row_values(row: Row, seal: str) -> dict[str, Any]:
    """Return the parameters of the statements above."""
    return {f"new_{name}": value for name, value in asdict(row).items()} | {"new_seal": seal}


async def read_head(connection: AsyncConnection) -> Head | None:
    """Return the end of the chain, which others may change at once."""
    found = (await connection.execute(_READ_HEAD)).one_or_none()
    return Head(*found) if found is not None else None


class LookupStore:
    """Stores look-ups in a session's transaction."""

    def __init__(self, session: DatabaseSession) -> None:
        self._session = session

    async def read_head(self, *, lock: bool = False) -> Head | None:
        """Return the end of the chain; with ``lock``, no other transaction can change it until this one ends."""
        found = (await self._session.execute(_READ_HEAD.with_for_update() if lock else _READ_HEAD)).one_or_none()
        return Head(*found) if found is not None else None

    async def update_head(self, head: Head) -> None:
        """Set the end of the chain."""
        values = {"seq": head.seq, "row_hash": head.row_hash, "seal": head.seal}
        await self._session.execute(update(ledger_head).where(ledger_head.c.id == _HEAD).values(values))

    async def append(self, row: Row, seal: str) -> None:
        """Insert a look-up and make it the head. The caller must have locked the head."""
        values = row_values(row, seal)
        await self._session.execute(_UPDATE_HEAD, values)
        await self._session.execute(_INSERT_ROW, values)

    async def list_newest(self, number_indexes: Sequence[str], limit: int) -> list[Seen]:
        """List the answered look-ups of one number, newest first."""
        query = (
            select(lookup.c.at, lookup.c.purpose)
            .where(lookup.c.number_index.in_(number_indexes), lookup.c.outcome != Outcome.UNANSWERED.value)
            .order_by(lookup.c.at.desc(), lookup.c.seq.desc())
            .limit(limit)
        )
        rows = await self._session.execute(query)
        return [Seen(at, Purpose(purpose)) for at, purpose in rows]
