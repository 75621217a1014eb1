"""The bare limit: an ASGI app that parses a submission and makes the same two inserts, and nothing else."""

import json
import uuid
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import asyncpg

Message = MutableMapping[str, Any]
Write = Callable[[str, bytes], Awaitable[None]]
_TABLES = """
CREATE TABLE bare_request (id TEXT PRIMARY KEY, body BYTEA);
CREATE TABLE bare_outbox (id TEXT PRIMARY KEY, body BYTEA);
"""


class Bare:
    """Writes each submission durably, in one transaction."""

    def __init__(self, write: Write, close: Callable[[], Awaitable[None]]) -> None:
        self._write = write
        self.close = close

    async def __call__(
        self, _scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
    ) -> None:
        """Handle one submission."""
        body, request_id = (await receive())["body"], str(uuid.uuid4())
        json.loads(body)
        await self._write(request_id, body)
        await send({"type": "http.response.start", "status": 201, "headers": [(b"content-type", b"application/json")]})
        await send({"type": "http.response.body", "body": json.dumps({"id": request_id}).encode()})


async def on_postgres(dsn: str) -> Bare:
    """Use asyncpg, with as many connections as intake."""
    pool = await asyncpg.create_pool(dsn, min_size=10, max_size=10)
    await pool.execute(_TABLES)

    async def write(request_id: str, body: bytes) -> None:
        async with pool.acquire() as connection, connection.transaction():
            await connection.execute("INSERT INTO bare_request VALUES ($1, $2)", request_id, body)
            await connection.execute("INSERT INTO bare_outbox VALUES ($1, $2)", request_id, body)

    return Bare(write, pool.close)
