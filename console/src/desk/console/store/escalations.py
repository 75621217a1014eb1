"""What headquarters is notified of: late answers of other offices, and offices that acknowledge nothing."""

from datetime import datetime

from sqlalchemy import Table, select, update

from desk.console.store.tables import escalation, silence
from desk.database import DatabaseSession, insert_into
from desk.expert import Escalation, Silence

MAX_SHOWN = 500


class EscalationStore:
    """Escalations and silent offices, until an account of headquarters closes them."""

    def __init__(self, session: DatabaseSession) -> None:
        self._session = session

    async def add(self, new: Escalation) -> None:
        """Record an escalation; a later one of the same case replaces it."""
        await self._write(escalation, "tracking_code", new.tracking_code, new)

    async def add_silence(self, new: Silence) -> None:
        """Record that an office is silent."""
        await self._write(silence, "office", new.province.key, new)

    async def _write(self, table: Table, key: str, value: str, event: Escalation | Silence) -> None:
        row = {key: value, "at": event.at, "document": event.model_dump_json(), "closed_at": None}
        writing = insert_into(self._session.dialect, table).values(row)
        await self._session.execute(writing.on_conflict_do_update(index_elements=[key], set_=row))

    async def open_ones(self) -> list[Escalation]:
        """List the open escalations, the oldest first."""
        return [Escalation.model_validate_json(text) for text in await self._open(escalation)]

    async def silent_offices(self) -> list[Silence]:
        """List the silent offices, the longest silent first."""
        return [Silence.model_validate_json(text) for text in await self._open(silence)]

    async def _open(self, table: Table) -> list[str]:
        query = select(table.c.document).where(table.c.closed_at.is_(None)).order_by(table.c.at).limit(MAX_SHOWN)
        return list((await self._session.execute(query)).scalars())

    async def close(self, tracking_code: str, now: datetime) -> bool:
        """Close an escalation; return False if there is no open one."""
        return await self._close(escalation, "tracking_code", tracking_code, now)

    async def close_silence(self, office: str, now: datetime) -> bool:
        """Close the notice of a silent office; return False if there is no open one."""
        return await self._close(silence, "office", office, now)

    async def _close(self, table: Table, key: str, value: str, now: datetime) -> bool:
        where = (table.c[key] == value, table.c.closed_at.is_(None))
        closed = update(table).where(*where).values(closed_at=now).returning(table.c[key])
        return (await self._session.execute(closed)).first() is not None
