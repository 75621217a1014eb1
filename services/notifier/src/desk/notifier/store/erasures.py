"""Erases the messages of a request, and remembers its code so that later events bring nothing back; deletes codes."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select, update

from desk.chassis.crypto import Vault
from desk.database import DatabaseSession, DataKeys, insert_into
from desk.notifier.domain import CODES, State
from desk.notifier.store.tables import LOCK_REQUEST, erasure, may_become, message, request_name


@dataclass(frozen=True, slots=True)
class Removed:
    """How many messages and keys were erased."""

    messages: int
    keys: int


class ErasureStore:
    """Erased requests in one session."""

    def __init__(self, session: DatabaseSession, vault: Vault) -> None:
        self._session = session
        self._keys = DataKeys(vault)

    async def lock(self, tracking_code: str) -> None:
        """Make other transactions about the request wait until this one ends; SQLite has one writer at a time.

        Without it, a notice that is queued during the erasure would stay.
        """
        if self._session.dialect == "postgresql":
            await self._session.execute(select(LOCK_REQUEST), {"request": request_name(tracking_code)})

    async def erase(self, tracking_code: str, at: datetime) -> Removed | None:
        """Destroy the key of a locked request, cancel its unsent messages and empty all; None if that was done before.

        The ids of events stay, so that none has a second effect, and so do states and times.
        """
        added = await self._session.execute(
            insert_into(self._session.dialect, erasure)
            .values(tracking_code=tracking_code, erased_at=at)
            .on_conflict_do_nothing()
            .returning(erasure.c.tracking_code)
        )
        if added.first() is None:
            return None
        of_request = message.c.tracking_code == tracking_code
        unsent = update(message).where(of_request, may_become(State.CANCELLED))
        await self._session.execute(unsent.values(state=State.CANCELLED))
        emptied = await self._session.execute(
            update(message)
            .where(of_request)
            .values(personal=b"", recipient_index=None, provider=None, provider_reference=None)
            .returning(message.c.id)
        )
        messages = len(emptied.all())
        return Removed(messages, await self._keys.destroy(self._session, [tracking_code]))

    async def delete_codes(self, before: datetime, limit: int) -> int:
        """Delete up to ``limit`` messages of security codes that were queued before a moment; return their number."""
        old = (
            select(message.c.id)
            .where(message.c.tracking_code == "", message.c.template.in_(sorted(CODES)), message.c.created_at < before)
            .limit(limit)
            .with_for_update(skip_locked=True)
            .cte("old")
        )
        deleted = delete(message).where(message.c.id.in_(select(old.c.id))).returning(message.c.id)
        return len((await self._session.execute(deleted)).all())
