"""Texts that an account has typed and not sent, encrypted: by case, or for a group answer."""

import json
from datetime import datetime

from sqlalchemy import delete, select

from desk.console.domain.states import State
from desk.console.encryption import Encryption
from desk.console.store.tables import case, draft
from desk.database import DatabaseSession, insert_into

Typed = dict[str, str]
"""Texts by the name of their field."""


class DraftStore:
    """The drafts in one session. ``subject`` is a tracking code, or a name for the group answer or the counter."""

    def __init__(self, session: DatabaseSession, encryption: Encryption) -> None:
        self._session, self._encryption = session, encryption

    async def save(self, account: str, subject: str, typed: Typed, now: datetime) -> None:
        """Save a draft; it replaces an earlier one. There is none of an erased case."""
        if await self._is_erased(subject):
            return
        document = self._encryption.seal(json.dumps(typed).encode(), _context(account, subject))
        values = {"saved_at": now, "document": document}
        await self._session.execute(
            insert_into(self._session.dialect, draft)
            .values(account=account, subject=subject, **values)
            .on_conflict_do_update(index_elements=("account", "subject"), set_=values)
        )

    async def _is_erased(self, subject: str) -> bool:
        """Return whether a case was erased; if not, its erasure waits for this transaction."""
        query = select(case.c.state).where(case.c.tracking_code == subject).with_for_update(read=True)
        return State.ERASED in (await self._session.execute(query)).scalars().all()

    async def find(self, account: str, subject: str) -> Typed:
        """Return a draft; empty if there is none."""
        query = select(draft.c.document).where(draft.c.account == account, draft.c.subject == subject)
        document = (await self._session.execute(query)).scalars().first()
        if document is None:
            return {}
        typed: Typed = json.loads(self._encryption.open(document, _context(account, subject)))
        return typed

    async def subjects(self, account: str) -> list[str]:
        """List what an account has drafts for, newest first."""
        query = select(draft.c.subject).where(draft.c.account == account).order_by(draft.c.saved_at.desc())
        return list((await self._session.execute(query)).scalars().all())

    async def remove(self, account: str, subject: str) -> None:
        """Remove a draft."""
        await self._session.execute(delete(draft).where(draft.c.account == account, draft.c.subject == subject))

    async def prune(self, before: datetime, subject: str | None = None) -> None:
        """Remove the drafts that were saved before a moment; ``subject``: only those about it."""
        old = draft.c.saved_at < before
        await self._session.execute(delete(draft).where(old if subject is None else old & (draft.c.subject == subject)))


def _context(account: str, subject: str) -> str:
    return f"draft.document:{account}/{subject}"
