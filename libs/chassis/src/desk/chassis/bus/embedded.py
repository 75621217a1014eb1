"""A broker inside the process, on SQLite, for the embedded desk and for fast tests.

Exchanges and queues come from the same :class:`Topology` as on RabbitMQ; messages are durable, retried after the same
delays and dead-lettered after the last. It has no other processes, users or permissions.
"""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import (
    Column,
    Delete,
    Index,
    Integer,
    LargeBinary,
    Row,
    String,
    Table,
    Update,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.exc import SQLAlchemyError

from desk.chassis.bus.broker import (
    DEAD_LETTER_TERM,
    RETRY_DELAYS,
    BrokerUnavailableError,
    Consumer,
    ContractError,
    Topology,
    UnroutableError,
)
from desk.chassis.crypto import DecryptionError, Vault
from desk.chassis.events import Message
from desk.database import Database, UtcDateTime, new_metadata

log = structlog.get_logger(__name__)

PAUSE_SECONDS = 1.0
"""Pause of a consumer after an error of the database."""

_metadata = new_metadata()
_message = Table(
    "message",
    _metadata,
    Column("position", Integer, primary_key=True, autoincrement=True),
    Column("queue", String(64), nullable=False),
    Column("id", String(64), nullable=False),
    Column("exchange", String(64), nullable=False),
    Column("routing_key", String(128), nullable=False),
    Column("type", String(96), nullable=False),
    Column("sender", String(64)),
    Column("body", LargeBinary, nullable=False),
    Column("deliveries", Integer, nullable=False),
    Column("available_at", UtcDateTime, nullable=False),
    Column("died_of", String(500)),
)
Index("ix_message_waiting", _message.c.queue, _message.c.available_at, sqlite_where=_message.c.died_of.is_(None))


class EmbeddedBroker:
    """Durable queues in one SQLite file, one consumer task per queue."""

    def __init__(
        self, url: str, topology: Topology, vault: Vault, *, retry_delays: Sequence[timedelta] = RETRY_DELAYS
    ) -> None:
        self._database = Database(url)
        self._topology = topology
        self._vault = vault
        self._retry_delays = retry_delays
        self._wake: dict[str, asyncio.Event] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = False

    async def open(self) -> None:
        """Create the table if it is missing, and delete the dead letters whose term has ended."""
        expired = datetime.now(UTC) - DEAD_LETTER_TERM
        async with self._database.engine.begin() as connection:
            await connection.run_sync(_metadata.create_all)
            await connection.execute(
                delete(_message).where(_message.c.died_of.is_not(None), _message.c.available_at < expired)
            )

    async def publish(self, message: Message) -> None:
        """Add the message to all bound queues, in one transaction. Raises UnroutableError or BrokerUnavailableError."""
        queues = tuple(self._topology.route(message.exchange, message.routing_key))
        if not queues:
            raise UnroutableError(f"{message.exchange} has no queue for {message.routing_key}")
        try:
            await self._enqueue(message, queues)
        except SQLAlchemyError as error:
            raise BrokerUnavailableError(type(error).__name__) from error
        for queue in queues:
            self._wake_up(queue)

    async def _enqueue(self, message: Message, queues: Sequence[str]) -> None:
        now = datetime.now(UTC)
        async with self._database.transaction() as session:
            for queue in queues:
                await session.execute(
                    insert(_message).values(
                        queue=queue,
                        id=message.id,
                        exchange=message.exchange,
                        routing_key=message.routing_key,
                        type=message.type,
                        sender=message.sender,
                        body=self._vault.seal(message.body, f"message.body:{queue}/{message.id}"),
                        deliveries=0,
                        available_at=now,
                    )
                )

    async def consume(self, queue: str, consumer: Consumer) -> None:
        """Start the queue's consumer."""
        self._wake[queue] = asyncio.Event()
        self._tasks.append(asyncio.create_task(self._serve(queue, consumer), name=f"queue {queue}"))

    async def consume_paced(self, queues: Sequence[str], consumer: Consumer, per_second: float) -> None:  # noqa: ARG002 - nothing floods a desk in one process
        """Start a consumer for each queue."""
        for queue in queues:
            await self.consume(queue, consumer)

    async def drain(self) -> None:
        """Let each consumer finish its current message."""
        self._stopping = True
        for wake in self._wake.values():
            wake.set()
        await asyncio.gather(*self._tasks)

    async def close(self) -> None:
        """Drain, then close the database."""
        await self.drain()
        await self._database.close()

    def alive(self) -> bool:
        """Return whether every consumer task runs."""
        return not any(task.done() for task in self._tasks)

    async def dead_letters(self, queue: str) -> list[tuple[str, str]]:
        """Return the ids of a queue's dead letters, each with the reason."""
        query = select(_message.c.id, _message.c.died_of).where(
            _message.c.queue == queue, _message.c.died_of.is_not(None)
        )
        async with self._database.transaction() as session:
            return [(row.id, row.died_of) for row in (await session.execute(query)).all()]

    async def replay(self, queue: str) -> int:
        """Move a queue's dead letters back into it; return their number."""
        replayed = (
            update(_message)
            .where(_message.c.queue == queue, _message.c.died_of.is_not(None))
            .values(died_of=None, deliveries=0, available_at=datetime.now(UTC))
            .returning(_message.c.position)
        )
        async with self._database.transaction() as session:
            count = len((await session.execute(replayed)).all())
        self._wake_up(queue)
        return count

    async def waiting(self, queue: str) -> int:
        """Return the number of messages of a queue that are neither handled nor dead-lettered."""
        query = select(func.count()).where(_message.c.queue == queue, _message.c.died_of.is_(None))
        async with self._database.transaction() as session:
            return (await session.execute(query)).scalar_one()

    def _wake_up(self, queue: str) -> None:
        if queue in self._wake:
            self._wake[queue].set()

    async def _serve(self, queue: str, consumer: Consumer) -> None:
        while not self._stopping:
            self._wake[queue].clear()
            try:
                due = 0.0 if await self._deliver_next(queue, consumer) else await self._until_next(queue)
            except Exception:  # the top of the loop: a queue must not lose its consumer
                log.exception("consumer failed", queue=queue)
                due = PAUSE_SECONDS
            if due != 0 and not self._stopping:
                await _wait(self._wake[queue], due)

    async def _until_next(self, queue: str) -> float | None:
        """Return the seconds until the next retry is due; None if the queue is empty."""
        query = select(func.min(_message.c.available_at)).where(_message.c.queue == queue, _message.c.died_of.is_(None))
        async with self._database.transaction() as session:
            due = (await session.execute(query)).scalar_one()
        return None if due is None else max(0.0, (due - datetime.now(UTC)).total_seconds())

    async def _deliver_next(self, queue: str, consumer: Consumer) -> bool:
        due = (
            select(_message)
            .where(
                _message.c.queue == queue, _message.c.died_of.is_(None), _message.c.available_at <= datetime.now(UTC)
            )
            .order_by(_message.c.position)
            .limit(1)
        )
        async with self._database.transaction() as session:
            row = (await session.execute(due)).first()
        if row is None:
            return False
        this = _message.c.position == row.position
        outcome: Update | Delete
        try:
            await consumer(self._message(row))
        except ContractError as error:
            log.warning("event dead-lettered", queue=queue, event_id=row.id, type=row.type, reason=str(error))
            outcome = update(_message).where(this).values(died_of=str(error)[:500])
        except Exception as error:  # the top of the loop: the message is kept after any error
            log.exception("event not handled", queue=queue, event_id=row.id, type=row.type)
            outcome = update(_message).where(this).values(self._after_failure(row.deliveries, error))
        else:
            outcome = delete(_message).where(this)
        async with self._database.transaction() as session:
            await session.execute(outcome)
        return True

    def _message(self, row: Row[Any]) -> Message:
        try:
            body = self._vault.open(row.body, f"message.body:{row.queue}/{row.id}")
        except DecryptionError as error:
            raise ContractError(str(error)) from None
        last_attempt = self._is_last(row.deliveries)
        return Message(row.id, row.exchange, row.routing_key, row.type, body, row.sender, last_attempt, row.deliveries)

    def _is_last(self, deliveries: int) -> bool:
        return deliveries >= len(self._retry_delays)

    def _after_failure(self, deliveries: int, error: Exception) -> dict[str, object]:
        if self._is_last(deliveries):
            return {"died_of": type(error).__name__}
        return {"deliveries": deliveries + 1, "available_at": datetime.now(UTC) + self._retry_delays[deliveries]}


async def _wait(wake: asyncio.Event, seconds: float | None) -> None:
    try:
        async with asyncio.timeout(seconds):
            await wake.wait()
    except TimeoutError:
        return
