"""The bare limit: an ASGI app that parses a submission and makes the same two inserts, and nothing else."""

import json
import uuid
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

import aiosqlite
import asyncpg

Message = MutableMapping[str, Any]
_TABLES = "CREATE TABLE request (id TEXT PRIMARY KEY, body {0}); CREATE TABLE outbox (id TEXT PRIMARY KEY, body {0});"


class Bare:
    """Takes submissions; a subclass writes them."""

    async def write(self, request_id: str, body: bytes) -> None:
        """Insert the body into both tables, durably, in one transaction."""
        raise NotImplementedError

    async def __call__(
        self, _scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
    ) -> None:
        """Take one submission."""
        body, request_id = (await receive())["body"], str(uuid.uuid4())
        json.loads(body)
        await self.write(request_id, body)
        await send({"type": "http.response.start", "status": 201, "headers": [(b"content-type", b"application/json")]})
        await send({"type": "http.response.body", "body": json.dumps({"id": request_id}).encode()})


class BareSqlite(Bare):
    """On aiosqlite."""

    async def open(self, path: Path) -> None:
        """Make the two tables."""
        self.store = await aiosqlite.connect(path, isolation_level=None)
        await self.store.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;" + _TABLES.format("BLOB"))

    async def write(self, request_id: str, body: bytes) -> None:
        """Insert; one connection, so one at a time."""
        await self.store.execute("BEGIN IMMEDIATE")
        await self.store.execute("INSERT INTO request VALUES (?, ?)", (request_id, body))
        await self.store.execute("INSERT INTO outbox VALUES (?, ?)", (request_id, body))
        await self.store.execute("COMMIT")


class BarePostgres(Bare):
    """On asyncpg, with as many connections as intake has."""

    async def open(self, dsn: str) -> None:
        """Make the two tables."""
        self.pool = await asyncpg.create_pool(dsn, min_size=10, max_size=10)
        await self.pool.execute(_TABLES.format("BYTEA"))

    async def write(self, request_id: str, body: bytes) -> None:
        """Insert."""
        async with self.pool.acquire() as connection, connection.transaction():
            await connection.execute("INSERT INTO request VALUES ($1, $2)", request_id, body)
            await connection.execute("INSERT INTO outbox VALUES ($1, $2)", request_id, body)
