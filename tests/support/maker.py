"""An imaginary service for the tests of the chassis: its store, the event that it publishes, and a clock."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

from sqlalchemy import Column, ForeignKey, Integer, MetaData, String, Table, insert, select

import desk.chassis.events
from desk.chassis.event_tables import add_event_tables
from desk.chassis.events import Event, Outbox
from desk.database import Database, DatabaseSession, new_metadata
from desk.testing.event_keys import encryptor_for


class ThingMade(Event):
    """An event of an imaginary service."""

    name: ClassVar[str] = "thing-made"
    receivers: ClassVar[tuple[str, ...]] = ("made", "{key}")

    label: str
    made_at: desk.chassis.events.Moment | None = None


class Store:
    """A service's store under test: its database, its tables, and the events it publishes."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.folder = folder
        self.database = Database(url)
        self.outbox = Outbox("/desk/maker", encryptor_for("made", "north"))
        self.metadata: MetaData = new_metadata()
        add_event_tables(self.metadata)
        self.effects = Table("effect", self.metadata, Column("label", String(200), primary_key=True))
        self.promises = Table(
            "promise",
            self.metadata,
            Column("id", Integer, primary_key=True),
            Column("label", String(200), ForeignKey("effect.label", deferrable=True, initially="DEFERRED")),
        )

    async def open(self) -> None:
        async with self.database.engine.begin() as connection:
            await connection.run_sync(self.metadata.create_all)

    async def add_event(self, label: str = "first", *, key: str = "north", seq: int = 1) -> str:
        async with self.database.transaction() as session:
            return await self.outbox.add(session, ThingMade(label=label), subject="s-1", key=key, seq=seq)

    async def publish_many(self, count: int) -> None:
        async with self.database.transaction() as session:
            for number in range(count):
                await self.outbox.add(session, ThingMade(label=str(number)), subject="s-1", key="north", seq=1)

    async def add_effect(self, session: DatabaseSession, label: str) -> None:
        await session.execute(insert(self.effects).values(label=label))

    async def add_promise(self, session: DatabaseSession, label: str) -> None:
        """Add a row whose commit fails unless there is an effect of this name."""
        await session.execute(insert(self.promises).values(label=label))

    async def rows(self, query: Any) -> list[Any]:
        async with self.database.transaction() as session:
            return list((await session.execute(query)).all())

    async def labels(self) -> list[str]:
        return sorted(row.label for row in await self.rows(select(self.effects)))

    @property
    def dialect(self) -> str:
        return self.database.engine.dialect.name

    async def written(self) -> bytes:
        """Return everything stored: every byte of the file and its write-ahead log, or every row of the server."""
        if self.dialect == "sqlite":
            return b"".join(each.read_bytes() for each in self.folder.glob("maker.db*"))
        rows = [row for table in self.metadata.sorted_tables for row in await self.rows(select(table))]
        values = [value for row in rows for value in row]
        return b"".join(value if isinstance(value, bytes) else str(value).encode() for value in values)

    async def close(self) -> None:
        if self.dialect == "postgresql":  # the server is shared
            async with self.database.engine.begin() as connection:
                await connection.run_sync(self.metadata.reflect)
                await connection.run_sync(self.metadata.drop_all)
        await self.database.close()


class Clock(datetime):
    """The clock of the outbox, which a test can move."""

    ahead = timedelta()

    @classmethod
    def now(cls, tz: Any = None) -> datetime:
        return datetime.now(tz) + cls.ahead

    @classmethod
    def advance(cls, **by: float) -> None:
        cls.ahead += timedelta(**by)
