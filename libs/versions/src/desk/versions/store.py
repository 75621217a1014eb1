"""Reads and writes the versions and drafts of a kind of document."""

import json
import secrets
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Generic

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from desk.database import DatabaseSession
from desk.versions.errors import VersionNotFoundError
from desk.versions.kinds import C, Kind
from desk.versions.rules import FIRST_VERSION, Draft, Version

_INSERTS: dict[str, Callable[..., Any]] = {"postgresql": postgresql_insert, "sqlite": sqlite_insert}
_BEFORE_ALL = datetime(2026, 1, 1, tzinfo=UTC)


class VersionStore(Generic[C]):
    """Reads and writes versions and drafts."""

    def __init__(self, session: DatabaseSession, kind: Kind[C]) -> None:
        self._session, self._kind = session, kind
        self._version, self._draft = kind.tables.version, kind.tables.draft

    async def add_first(self) -> None:
        """Store the version of the package unless a first version is stored already."""
        values = {
            "number": FIRST_VERSION,
            "content": self._kind.first().model_dump_json(),
            "note": "",
            "author": "",
            "approved_by": "",
            "approved_at": _BEFORE_ALL,
            "in_force_at": _BEFORE_ALL,
        }
        add = _INSERTS[self._session.dialect](self._version).values(values)
        await self._session.execute(add.on_conflict_do_nothing())

    async def versions(self) -> list[Version]:
        """List all versions, the newest first."""
        columns = [each for each in self._version.c if each.name != "content"]
        rows = await self._session.execute(select(*columns).order_by(self._version.c.number.desc()))
        return [_version(row) for row in rows.all()]

    async def lock_versions(self) -> None:
        """Keep others from adding or cancelling a version until the transaction ends."""
        first = select(self._version.c.number).where(self._version.c.number == FIRST_VERSION)
        await self._session.execute(first.with_for_update())

    async def upcoming(self, now: datetime) -> list[tuple[int, datetime]]:
        """List number and time of the version in force and of those approved for later, the newest first."""
        query = select(self._version.c.number, self._version.c.in_force_at).where(
            self._version.c.cancelled_at.is_(None)
        )
        found: list[tuple[int, datetime]] = []
        for row in (await self._session.execute(query.order_by(self._version.c.number.desc()))).all():
            found.append((row.number, row.in_force_at))
            if row.in_force_at <= now:
                break
        return found

    async def content(self, number: int) -> C:
        """Return the content of a version. Raises VersionNotFoundError."""
        query = select(self._version.c.content).where(self._version.c.number == number)
        text = (await self._session.execute(query)).scalar_one_or_none()
        if text is None:
            raise VersionNotFoundError
        return self._kind.stored(text)

    async def contents(self) -> list[C]:
        """Return the contents of all versions, the newest first."""
        rows = await self._session.execute(select(self._version.c.content).order_by(self._version.c.number.desc()))
        return [self._kind.stored(text) for text in rows.scalars()]

    async def add_version(self, version: Version, content: C) -> None:
        """Add a version. Raises IntegrityError if its number is taken."""
        await self._session.execute(
            insert(self._version).values(
                number=version.number,
                content=content.model_dump_json(),
                note=version.note,
                author=version.author,
                approved_by=version.approved_by,
                approved_at=version.approved_at,
                in_force_at=version.in_force_at,
            )
        )

    async def cancel(self, number: int, person: str, now: datetime) -> None:
        """Mark a version that is not in force yet as cancelled."""
        query = update(self._version).where(self._version.c.number == number)
        await self._session.execute(query.values(cancelled_at=now, cancelled_by=person))

    async def drafts(self) -> list[Draft]:
        """List the drafts, the one that was changed last first."""
        columns = [each for each in self._draft.c if each.name != "content"]
        rows = await self._session.execute(select(*columns).order_by(self._draft.c.changed_at.desc()))
        return [_draft(row) for row in rows.all()]

    async def draft(self, draft_id: str, *, lock: bool = False) -> tuple[Draft, C] | None:
        """Return a draft and its content; ``lock`` keeps others from changing it until the transaction ends."""
        query = select(self._draft).where(self._draft.c.id == draft_id)
        row = (await self._session.execute(query.with_for_update() if lock else query)).first()
        return None if row is None else (_draft(row), self._kind.stored(row.content))

    async def previewed(self, preview: str) -> tuple[Draft, C] | None:
        """Return the draft that has this value for previews, and its content."""
        query = select(self._draft).where(self._draft.c.preview == preview)
        row = (await self._session.execute(query)).first()
        return None if row is None else (_draft(row), self._kind.stored(row.content))

    async def add_draft(self, person: str, based_on: int, note: str, content: C) -> Draft:
        """Add a draft."""
        previews = "preview" in self._draft.c
        draft = Draft(
            id=str(uuid.uuid4()),
            revision=1,
            based_on=based_on,
            note=note,
            editors=(person,),
            proposed_by=None,
            changed_at=datetime.now(UTC),
            preview=secrets.token_urlsafe(24) if previews else "",
        )
        values = {"id": draft.id, "based_on": based_on, **_changing(draft, content)}
        await self._session.execute(
            insert(self._draft).values(values | ({"preview": draft.preview} if previews else {}))
        )
        return draft

    async def change_draft(self, draft: Draft, content: C) -> None:
        """Store what can change of a draft."""
        query = update(self._draft).where(self._draft.c.id == draft.id)
        await self._session.execute(query.values(_changing(draft, content)))

    async def delete_draft(self, draft_id: str) -> None:
        """Delete a draft."""
        await self._session.execute(delete(self._draft).where(self._draft.c.id == draft_id))


def _changing(draft: Draft, content: C) -> dict[str, object]:
    return {
        "revision": draft.revision,
        "note": draft.note,
        "editors": json.dumps(draft.editors, ensure_ascii=False),
        "proposed_by": draft.proposed_by,
        "changed_at": draft.changed_at,
        "content": content.model_dump_json(),
    }


def _version(row: Row[tuple[object, ...]]) -> Version:
    return Version(
        row.number,
        row.in_force_at,
        row.note,
        row.author,
        row.approved_by,
        row.approved_at,
        row.cancelled_at,
        row.cancelled_by,
    )


def _draft(row: Row[tuple[object, ...]]) -> Draft:
    return Draft(
        row.id,
        row.revision,
        row.based_on,
        row.note,
        tuple(json.loads(row.editors)),
        row.proposed_by,
        row.changed_at,
        getattr(row, "preview", ""),
    )
