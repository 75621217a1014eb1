"""Versions of the catalogue and drafts. The first version is the JSON file of the package."""

import json
import secrets
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Any

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncSession

from desk.intake.domain import FIRST_VERSION, Catalog, Draft, Version, VersionNotFoundError
from desk.intake.store.tables import catalog_draft, catalog_version

_INSERTS: dict[str, Callable[..., Any]] = {"postgresql": postgresql_insert, "sqlite": sqlite_insert}
_BEFORE_ALL = datetime(2026, 1, 1, tzinfo=UTC)
_VERSION_COLUMNS = [each for each in catalog_version.c if each.name != "content"]
_DRAFT_COLUMNS = [each for each in catalog_draft.c if each.name != "content"]


@cache
def load_catalog() -> Catalog:
    """Read the first version once."""
    text = files("desk.intake").joinpath("catalog.json").read_text(encoding="utf-8")
    return Catalog.model_validate_json(text)


class CatalogStore:
    """Reads and writes versions and drafts."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add_first(self) -> None:
        """Store the version of the package unless a first version is stored already."""
        values = {
            "number": FIRST_VERSION,
            "content": load_catalog().model_dump_json(),
            "note": "",
            "author": "",
            "approved_by": "",
            "approved_at": _BEFORE_ALL,
            "in_force_at": _BEFORE_ALL,
        }
        add = _INSERTS[self._session.get_bind().dialect.name](catalog_version).values(values)
        await self._session.execute(add.on_conflict_do_nothing())

    async def versions(self) -> list[Version]:
        """List all versions, the newest first."""
        rows = await self._session.execute(select(*_VERSION_COLUMNS).order_by(catalog_version.c.number.desc()))
        return [_version(row) for row in rows.all()]

    async def lock_versions(self) -> None:
        """Keep others from adding or cancelling a version until the transaction ends."""
        first = select(catalog_version.c.number).where(catalog_version.c.number == FIRST_VERSION)
        await self._session.execute(first.with_for_update())

    async def upcoming(self, now: datetime) -> list[tuple[int, datetime]]:
        """List number and time of the version in force and of those approved for later, the newest first."""
        query = select(catalog_version.c.number, catalog_version.c.in_force_at).where(
            catalog_version.c.cancelled_at.is_(None)
        )
        found: list[tuple[int, datetime]] = []
        for row in (await self._session.execute(query.order_by(catalog_version.c.number.desc()))).all():
            found.append((row.number, row.in_force_at))
            if row.in_force_at <= now:
                break
        return found

    async def content(self, number: int) -> Catalog:
        """Return the content of a version. Raises VersionNotFoundError."""
        query = select(catalog_version.c.content).where(catalog_version.c.number == number)
        text = (await self._session.execute(query)).scalar_one_or_none()
        if text is None:
            raise VersionNotFoundError
        return Catalog.model_validate_json(text)

    async def add_version(self, version: Version, content: Catalog) -> None:
        """Add a version. Raises IntegrityError if its number is taken."""
        await self._session.execute(
            insert(catalog_version).values(
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
        query = update(catalog_version).where(catalog_version.c.number == number)
        await self._session.execute(query.values(cancelled_at=now, cancelled_by=person))

    async def drafts(self) -> list[Draft]:
        """List the drafts, the one that was changed last first."""
        rows = await self._session.execute(select(*_DRAFT_COLUMNS).order_by(catalog_draft.c.changed_at.desc()))
        return [_draft(row) for row in rows.all()]

    async def draft(self, draft_id: str, *, lock: bool = False) -> tuple[Draft, Catalog] | None:
        """Return a draft and its content; ``lock`` keeps others from changing it until the transaction ends."""
        query = select(catalog_draft).where(catalog_draft.c.id == draft_id)
        row = (await self._session.execute(query.with_for_update() if lock else query)).first()
        return None if row is None else (_draft(row), Catalog.model_validate_json(row.content))

    async def previewed(self, preview: str) -> tuple[Draft, Catalog] | None:
        """Return the draft that has this value for previews, and its content."""
        row = (await self._session.execute(select(catalog_draft).where(catalog_draft.c.preview == preview))).first()
        return None if row is None else (_draft(row), Catalog.model_validate_json(row.content))

    async def add_draft(self, person: str, based_on: int, note: str, content: Catalog) -> Draft:
        """Add a draft."""
        draft = Draft(
            id=str(uuid.uuid4()),
            revision=1,
            based_on=based_on,
            note=note,
            editors=(person,),
            proposed_by=None,
            changed_at=datetime.now(UTC),
            preview=secrets.token_urlsafe(24),
        )
        await self._session.execute(
            insert(catalog_draft).values(
                id=draft.id, preview=draft.preview, based_on=based_on, **_changing(draft, content)
            )
        )
        return draft

    async def change_draft(self, draft: Draft, content: Catalog) -> None:
        """Store what can change of a draft."""
        query = update(catalog_draft).where(catalog_draft.c.id == draft.id)
        await self._session.execute(query.values(_changing(draft, content)))

    async def delete_draft(self, draft_id: str) -> None:
        """Delete a draft."""
        await self._session.execute(delete(catalog_draft).where(catalog_draft.c.id == draft_id))


def _changing(draft: Draft, content: Catalog) -> dict[str, object]:
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
        row.preview,
    )
