"""The work of one caller in a database: statements on one connection, which its :class:`Database` commits."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, TypeVarTuple, overload

from sqlalchemy import CursorResult, Executable
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.sql.selectable import TypedReturnsRows

Ts = TypeVarTuple("Ts")
Values = Mapping[str, Any] | Sequence[Mapping[str, Any]]


class DatabaseSession:
    """Executes statements on one connection, which it takes from the pool for the first one.

    It has no objects that are mapped to rows, so it costs much less than a session of SQLAlchemy's ORM.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self.dialect = engine.dialect.name
        """``postgresql`` or ``sqlite``."""
        self.info: dict[Any, Any] = {}
        """What belongs to this session, by keys of its users."""
        self._engine = engine
        self._connection: AsyncConnection | None = None
        self._committed = False

    async def connection(self) -> AsyncConnection:
        """Return the connection, on which a transaction begins with the first statement."""
        if self._connection is None:
            self._connection = await self._engine.connect()
        return self._connection

    @overload
    async def execute(self, statement: TypedReturnsRows[*Ts], values: Values | None = None) -> CursorResult[*Ts]: ...

    @overload
    async def execute(self, statement: Executable, values: Values | None = None) -> CursorResult[*tuple[Any, ...]]: ...

    async def execute(self, statement: Executable, values: Values | None = None) -> CursorResult[*tuple[Any, ...]]:
        """Execute a statement, once for each of several ``values``."""
        return await (self._connection or await self.connection()).execute(statement, values)

    async def commit(self) -> None:
        """Commit, if there was a statement. Only :class:`Database` calls it, at the end."""
        if self._connection is not None:
            await self._connection.commit()
            self._committed = True

    async def close(self) -> None:
        """Return the connection. What is not committed is rolled back first, even if the caller is cancelled."""
        if self._connection is None:
            return
        if self._committed:  # nothing is sent, so that nothing can be cancelled
            await self._connection.close()
            return
        ending = asyncio.ensure_future(_roll_back(self._connection))
        try:
            await asyncio.shield(ending)
        except asyncio.CancelledError:
            await asyncio.wait([ending])
            raise


async def _roll_back(connection: AsyncConnection) -> None:
    try:
        await connection.rollback()  # which a commit that has failed needs too
    finally:
        await connection.close()
