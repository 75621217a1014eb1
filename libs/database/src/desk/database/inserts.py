"""Inserts rows of several tables that belong together."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Column, Executable, Select, Table, bindparam, func, insert, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from desk.database.sessions import DatabaseSession
from desk.database.tables import insert_into

Row = tuple[Table, Mapping[str, Any]]
Shape = tuple[Table, tuple[str, ...]]


async def insert_together(
    session: DatabaseSession, first: Row, *others: Row, unique: str, absent: Column[Any] | None = None
) -> bool:
    """Insert ``first`` and with it the ``others``, all or none; return whether they were inserted.

    None is inserted if another row has the value of the column ``unique`` of ``first``, after waiting for it if it is
    being inserted, nor if ``absent``, a column of another table, has that value. Raises IntegrityError for any other
    conflict. PostgreSQL needs one round trip for all.
    """
    rows = (first, *others)
    connection = await session.connection()
    if connection.dialect.name != "postgresql":
        return await _insert_one_by_one(connection, rows, unique, absent)
    shape = tuple((table, tuple(values)) for table, values in rows)
    bound = {_name(place, column): value for place, row in enumerate(rows) for column, value in row[1].items()}
    return bool((await connection.execute(_statement(shape, unique, absent), bound)).scalar_one())


async def _insert_one_by_one(
    connection: AsyncConnection, rows: Sequence[Row], unique: str, absent: Column[Any] | None
) -> bool:
    (table, values), *others = rows
    if absent is not None and (await connection.execute(select(absent).where(absent == values[unique]))).first():
        return False
    adding = insert_into(connection.dialect.name, table).on_conflict_do_nothing(index_elements=[unique])
    if (await connection.execute(adding.values(values))).rowcount == 0:
        return False
    for other, row in others:
        await connection.execute(insert(other).values(row))
    return True


@lru_cache
def _statement(shape: Sequence[Shape], unique: str, absent: Column[Any] | None) -> Executable:
    """Return one statement for rows of these tables with these columns; to build it costs more than to execute it."""
    (table, columns), *others = shape
    row = _row(table, columns, 0)
    if absent is not None:
        row = row.where(~select(absent).where(absent == _value(table, unique, 0)).exists())
    adding = insert_into("postgresql", table).from_select(list(columns), row)
    added = adding.on_conflict_do_nothing(index_elements=[unique]).returning(literal(1).label("one")).cte("added")
    together = select(func.count()).select_from(added)
    for place, (other, names) in enumerate(others, 1):
        adding_other = insert(other).from_select(list(names), _row(other, names, place).select_from(added))
        together = together.add_cte(adding_other.cte(f"added_{place}"))
    return together


def _row(table: Table, columns: Sequence[str], place: int) -> Select[Any]:
    return select(*(_value(table, column, place) for column in columns))


def _value(table: Table, column: str, place: int) -> Any:
    return bindparam(_name(place, column), type_=table.c[column].type)


def _name(place: int, column: str) -> str:
    return f"row_{place}_{column}"
