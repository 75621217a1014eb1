"""Rotation of keys under load: values that a former key encrypted, and keyed hashes under a former index key.

Nothing stops meanwhile, because services decrypt with every key of their settings and search by every index key. All of
it can be interrupted, repeated and run twice at once.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from sqlalchemy import Column, ColumnElement, LargeBinary, Row, Select, Table, func, literal, select, tuple_, update

from desk.database.data_keys import data_key
from desk.database.database import Database
from desk.database.sessions import DatabaseSession
from desk.security.data_keys import DATA_KEY_MARK, DecryptionError, KeyDestroyedError, KeyWrapper

BATCH_SIZE = 200
PASSES = 5
"""Rows that others change or lock meanwhile are left to the next pass."""


class RotatingKeys(KeyWrapper, Protocol):
    """A vault of several keys: the current one encrypts, all of them decrypt."""

    @property
    def prefix(self) -> bytes:
        """What every value begins with that the current key encrypts."""

    def key_of(self, sealed: bytes) -> str:
        """Return the id of the key that encrypted a value."""


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """A column with values that the vault itself encrypts. Those of a data key are left as they are."""

    table: Table
    column: str
    place: str
    """The place of a value, with the primary key's columns in braces: ``request.personal:{id}``."""

    @property
    def name(self) -> str:
        """Return ``table.column``."""
        return f"{self.table.name}.{self.column}"

    @property
    def value(self) -> Column[Any]:
        """Return the column."""
        return self.table.c[self.column]

    def by_vault(self) -> ColumnElement[bool]:
        """Match the rows with a value of the vault."""
        return (func.length(self.value) > 0) & ~_begins_with(self.value, DATA_KEY_MARK)


@dataclass(frozen=True, slots=True)
class IndexedTable:
    """A table with keyed hashes; its column ``index_key`` has the id of their key."""

    table: Table
    current: str
    """The id of the current index key."""
    query: Select[Any]
    """Selects rows with what :attr:`rewrite` needs."""
    rewrite: Callable[[DatabaseSession, Row[Any]], Awaitable[None]]
    """Writes the hashes of a row and ``index_key``. Raises KeyDestroyedError or DecryptionError."""

    @property
    def name(self) -> str:
        """Return the table's name, as the report of a rotation has it."""
        return f"{self.table.name} (indexes)"

    def outdated(self) -> ColumnElement[bool]:
        """Match the rows with hashes of another key."""
        return self.table.c.index_key.is_distinct_from(self.current)


DATA_KEYS = SealedColumn(data_key, "wrapped", "data_key.wrapped:{id}")


@dataclass(slots=True)
class Progress:
    """What a rotation did with a table: rows with an old key that were examined, rewritten, and are left."""

    name: str
    examined: int = 0
    rewritten: int = 0
    left: int = 0
    unreadable: set[str] = field(default_factory=set)
    """The primary keys of rows that no key opens."""

    def lines(self) -> Iterator[str]:
        """Yield the report; it contains nothing of a row but its primary key."""
        yield f"{self.name}: {self.examined} examined, {self.rewritten} rewritten, {self.left} left"
        yield from (f"{self.name}: {each} cannot be read with the keys of the settings" for each in self.unreadable)


@dataclass(frozen=True, slots=True)
class Rotation:
    """Rotates the keys of one database."""

    database: Database
    keys: RotatingKeys
    columns: Sequence[SealedColumn]
    indexes: Sequence[IndexedTable] = ()

    async def run(self) -> list[Progress]:
        """Rewrite everything that is not under the current keys."""
        done = [await self._reseal(each) for each in self.columns]
        return done + [await self._reindex(each) for each in self.indexes]

    async def status(self) -> list[str]:
        """Return how many rows each key has, so that an operator knows which keys are still needed."""
        lines: list[str] = []
        for column in self.columns:
            counted = await self._count_keys(column)
            lines += [f"{column.name}: key {key}: {count} rows" for key, count in sorted(counted.items())]
        for indexed in self.indexes:
            key = indexed.table.c.index_key
            async with self.database.read() as session:
                rows = (await session.execute(select(key, func.count()).group_by(key).order_by(key))).all()
            lines += [f"{indexed.name}: index key {name or 'unknown'}: {count} rows" for name, count in rows]
        return lines

    async def _count_keys(self, column: SealedColumn) -> Counter[str]:
        beginning = func.substr(column.value, 1, 256, type_=LargeBinary)
        counted: Counter[str] = Counter()
        async with self.database.transaction() as session:  # which a cursor needs
            found = await (await session.connection()).stream(select(beginning).where(column.by_vault()))
            async for row in found:
                counted[self.keys.key_of(row[0])] += 1
        return counted

    async def _reseal(self, column: SealedColumn) -> Progress:
        progress = Progress(column.name)
        outdated = column.by_vault() & ~_begins_with(column.value, self.keys.prefix)
        query = select(*_primary_key(column.table), column.value).where(outdated)
        for _ in range(PASSES):
            before, after = progress.rewritten, None
            while rows := await self._page(column.table, query, after):
                after = rows[-1]
                async with self.database.transaction() as session:
                    for row in rows:
                        await self._reseal_row(session, column, row, progress)
            if progress.rewritten == before:
                break
        progress.left = await self._count(column.table, outdated)
        return progress

    async def _page(self, table: Table, query: Select[Any], after: Row[Any] | None) -> list[Row[Any]]:
        async with self.database.read() as session:
            return list((await session.execute(_next(table, query, after))).all())

    async def _reseal_row(
        self, session: DatabaseSession, column: SealedColumn, row: Row[Any], progress: Progress
    ) -> None:
        progress.examined += 1
        place, old = column.place.format(**row._mapping), row._mapping[column.column]  # noqa: SLF001 - public, despite its name
        try:
            new = self.keys.seal(self.keys.open(old, place), place)
        except DecryptionError:
            progress.unreadable.add(_key_text(column.table, row))
            return
        # Compared instead of locked: a row that another process has rewritten or deleted meanwhile stays as it is.
        same = (*_is_row(column.table, row), column.value == old)
        written = update(column.table).where(*same).values({column.column: new}).returning(literal(1))
        progress.rewritten += (await session.execute(written)).first() is not None

    async def _reindex(self, indexed: IndexedTable) -> Progress:
        progress = Progress(indexed.name)
        for _ in range(PASSES):
            before, after = progress.rewritten, None
            while True:
                async with self.database.transaction() as session:
                    query = _next(indexed.table, indexed.query.where(indexed.outdated()), after)
                    locked = query.with_for_update(of=indexed.table, skip_locked=True)
                    rows = (await session.execute(locked)).all()
                    for row in rows:
                        await self._reindex_row(session, indexed, row, progress)
                if not rows:
                    break
                after = rows[-1]
            if progress.rewritten == before:
                break
        progress.left = await self._count(indexed.table, indexed.outdated())
        return progress

    @staticmethod
    async def _reindex_row(session: DatabaseSession, indexed: IndexedTable, row: Row[Any], progress: Progress) -> None:
        progress.examined += 1
        try:
            await indexed.rewrite(session, row)
        except KeyDestroyedError:  # erased: nothing is left that could be hashed or found
            values = {"index_key": indexed.current}
            await session.execute(update(indexed.table).where(*_is_row(indexed.table, row)).values(values))
        except DecryptionError:
            progress.unreadable.add(_key_text(indexed.table, row))
            return
        progress.rewritten += 1

    async def _count(self, table: Table, which: ColumnElement[bool]) -> int:
        async with self.database.read() as session:
            return int((await session.execute(select(func.count()).select_from(table).where(which))).scalar_one())


def _begins_with(column: Column[Any], prefix: bytes) -> ColumnElement[bool]:
    beginning = func.substr(column, 1, len(prefix), type_=LargeBinary)
    return beginning == literal(prefix, LargeBinary)


def _primary_key(table: Table) -> Sequence[Column[Any]]:
    return list(table.primary_key.columns)


def _next(table: Table, query: Select[Any], after: Row[Any] | None) -> Select[Any]:
    """Return a query for the batch after a row, in the order of the primary key."""
    key = _primary_key(table)
    if after is not None:
        last = tuple_(*(literal(after._mapping[each.name], each.type) for each in key))  # noqa: SLF001 - public, despite its name
        query = query.where(tuple_(*key) > last)
    return query.order_by(*key).limit(BATCH_SIZE)


def _is_row(table: Table, row: Row[Any]) -> list[ColumnElement[bool]]:
    return [each == row._mapping[each.name] for each in _primary_key(table)]  # noqa: SLF001 - public, despite its name


def _key_text(table: Table, row: Row[Any]) -> str:
    return "/".join(str(row._mapping[each.name]) for each in _primary_key(table))  # noqa: SLF001 - public, despite its name
