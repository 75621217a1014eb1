"""The audit: one row for each look-up that reached the registry, and no number in it."""

import uuid

from sqlalchemy import Column, Index, String, Table, insert
from sqlalchemy.ext.asyncio import AsyncSession

from desk.chassis.db import UtcDateTime, new_metadata
from desk.registry_gateway.domain import Lookup

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
)
Index(None, lookup.c.number_index, lookup.c.at)


class LookupStore:
    """Look-ups as rows."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, made: Lookup) -> None:
        """Write down one look-up."""
        await self._session.execute(
            insert(lookup).values(
                id=str(uuid.uuid4()),
                at=made.at,
                purpose=made.purpose.value,
                number_index=made.number_index,
                source_index=made.source_index,
                outcome=made.outcome.value,
            )
        )
