"""The bare limit: an ASGI app that parses a submission and makes the same two inserts, and nothing else."""

import json
import sqlite3
import uuid
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

import aiosqlite

Message = MutableMapping[str, Any]


class BareSqlite:
    """Writes the body to two tables in one durable transaction."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._store: aiosqlite.Connection

    async def open(self) -> None:
        """Make the two tables."""
        self._store = await aiosqlite.connect(self._path, isolation_level=None)
        await self._store.executescript(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
            "CREATE TABLE request (id TEXT PRIMARY KEY, body BLOB);"
            "CREATE TABLE outbox (id TEXT PRIMARY KEY, body BLOB);"
        )

    async def close(self) -> None:
        """Close the file."""
        await self._store.close()

    async def __call__(
        self,
        scope: Message,  # noqa: ARG002 - ASGI
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        """Take one submission."""
        body = (await receive())["body"]
        json.loads(body)
        request_id = str(uuid.uuid4())
        await self._store.executescript("BEGIN IMMEDIATE")
        await self._store.execute("INSERT INTO request VALUES (?, ?)", (request_id, sqlite3.Binary(body)))
        await self._store.execute("INSERT INTO outbox VALUES (?, ?)", (request_id, sqlite3.Binary(body)))
        await self._store.execute("COMMIT")
        await send({"type": "http.response.start", "status": 201, "headers": [(b"content-type", b"application/json")]})
        await send({"type": "http.response.body", "body": json.dumps({"id": request_id}).encode()})
