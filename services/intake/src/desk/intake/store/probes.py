"""Deletes synthetic requests."""

from datetime import datetime

from sqlalchemy import bindparam, delete, select

from desk.database import DatabaseSession, data_key
from desk.intake.domain import PROBE
from desk.intake.store.tables import is_probe, request

BATCH = 100
_OLD = (
    select(request.c.id)
    .where(is_probe, request.c.submitted_at < bindparam("before"))
    .order_by(request.c.submitted_at)
    .limit(BATCH)
    .with_for_update(skip_locked=True)
)


class ProbeStore:
    """Deletes synthetic requests, and nothing else."""

    def __init__(self, session: DatabaseSession) -> None:
        self._session = session

    async def delete_before(self, moment: datetime) -> int:
        """Delete up to ``BATCH`` synthetic requests from before a moment, with their keys; return their number."""
        ids = list((await self._session.execute(_OLD, {"before": moment})).scalars())
        if ids:
            await self._session.execute(delete(data_key).where(data_key.c.id.in_(ids)))
            await self._session.execute(delete(request).where(request.c.id.in_(ids), request.c.office == PROBE))
        return len(ids)
