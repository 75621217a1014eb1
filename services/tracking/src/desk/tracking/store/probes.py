"""Synthetic requests: at most some hundred, of the last hour."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, delete, func, select, update

from desk.database import DatabaseSession, UtcDateTime, insert_into
from desk.tracking.store.tables import probe_table

_PROBE = probe_table.c


@dataclass(frozen=True, slots=True)
class Probe:
    """A synthetic request: when it was submitted, when its event arrived, and when it was first found."""

    tracking_code: str
    submitted_at: datetime
    opened_at: datetime
    found_at: datetime | None


class ProbeStore:
    """Reads and writes synthetic requests."""

    def __init__(self, session: DatabaseSession) -> None:
        self._session = session

    async def add(self, probe: Probe) -> None:
        """Insert a synthetic request, unless it is there."""
        new = insert_into(self._session.dialect, probe_table).values(
            tracking_code=probe.tracking_code, submitted_at=probe.submitted_at, opened_at=probe.opened_at
        )
        await self._session.execute(new.on_conflict_do_nothing(index_elements=["tracking_code"]))

    async def find(self, tracking_code: str, now: datetime) -> Probe | None:
        """Return a synthetic request, and record the first time that it is found.

        One statement: a request that arrived between two would be returned without the time.
        """
        first = func.coalesce(_PROBE.found_at, bindparam("now", now, UtcDateTime))
        found = update(probe_table).where(_PROBE.tracking_code == tracking_code).values(found_at=first)
        row = (await self._session.execute(found.returning(probe_table))).first()
        return Probe(*row) if row else None

    async def last_found(self) -> Probe | None:
        """Return the synthetic request that was found last."""
        query = select(probe_table).where(_PROBE.found_at.is_not(None)).order_by(_PROBE.found_at.desc()).limit(1)
        row = (await self._session.execute(query)).first()
        return Probe(*row) if row else None

    async def delete_before(self, moment: datetime) -> None:
        """Delete the synthetic requests from before a moment."""
        await self._session.execute(delete(probe_table).where(_PROBE.submitted_at < moment))
