"""Editing a document: a draft, its approval by a second person, and a version that is in force at a given time."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Generic

from sqlalchemy.exc import IntegrityError

from desk.chassis.audit import AuditLog
from desk.database import Database, DatabaseSession
from desk.iran.offices import HEADQUARTERS
from desk.versions.current import CurrentVersions
from desk.versions.errors import (
    DraftChangedError,
    DraftNotFoundError,
    DraftNotProposedError,
    DraftOutdatedError,
    DraftUnchangedError,
    InForceTimeError,
    SecondPersonNeededError,
    VersionHasDraftsError,
    VersionInForceError,
)
from desk.versions.kinds import C, Kind
from desk.versions.rules import Change, Draft, Version, changes_between
from desk.versions.store import VersionStore


@dataclass(frozen=True, slots=True)
class Editor:
    """The person of headquarters who acts, and the address of the call."""

    person: str
    source: str


@dataclass(frozen=True, slots=True)
class OpenDraft(Generic[C]):
    """A draft with its content, and how it differs from the version it began with."""

    draft: Draft
    content: C
    changes: list[Change]


@dataclass(frozen=True, slots=True)
class Drafts(Generic[C]):
    """Drafts and versions of a kind of document. Each action is audited."""

    database: Database
    audit: AuditLog
    kind: Kind[C]
    current: CurrentVersions[C, Any]
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    async def versions(self) -> list[Version]:
        """List all versions, the newest first."""
        async with self.database.read() as session:
            return await self._store(session).versions()

    async def content(self, number: int) -> C:
        """Return the content of a version. Raises VersionNotFoundError."""
        async with self.database.read() as session:
            return await self._store(session).content(number)

    async def drafts(self) -> list[Draft]:
        """List the drafts."""
        async with self.database.read() as session:
            return await self._store(session).drafts()

    async def open(self, draft_id: str) -> OpenDraft[C]:
        """Return a draft. Raises DraftNotFoundError."""
        async with self.database.read() as session:
            store = self._store(session)
            return await _opened(store, *await _find(store, draft_id))

    async def previewed(self, preview: str) -> tuple[Draft, C]:
        """Return the draft that has this value for previews, and its content. Raises DraftNotFoundError."""
        async with self.database.read() as session:
            found = await self._store(session).previewed(preview)
        if found is None:
            raise DraftNotFoundError
        return found

    async def begin(self, editor: Editor, note: str, from_version: int | None = None) -> OpenDraft[C]:
        """Add a draft with the content of the newest version, or of another one to return to it.

        Raises VersionNotFoundError.
        """
        async with self.database.transaction() as session:
            store = self._store(session)
            await store.add_first()
            await store.lock_versions()
            newest = await _newest(store)
            content = await store.content(from_version or newest.number)
            if from_version:
                now = self.clock().replace(microsecond=0)
                content = self.kind.returned(content, await store.content(newest.number), now)
            draft = await store.add_draft(editor.person, newest.number, note, content)
            await self._record(session, editor, "draft_begun", draft.id)
            return await _opened(store, draft, content)

    async def save(self, editor: Editor, draft_id: str, revision: int, note: str, content: object) -> OpenDraft[C]:
        """Store content of a draft, which then has to be proposed again.

        ``revision`` is the one that the caller read. Raises DraftNotFoundError, DraftChangedError or the kind's
        ContentInvalidError.
        """
        async with self.database.transaction() as session:
            store = self._store(session)
            draft, _ = await _lock(store, draft_id, revision)
            checked = await self.kind.checked(store, content, draft.based_on)
            saved = replace(
                draft,
                revision=draft.revision + 1,
                note=note,
                editors=tuple(dict.fromkeys((*draft.editors, editor.person))),
                proposed_by=None,
                changed_at=self.clock(),
            )
            await store.change_draft(saved, checked)
            await self._record(session, editor, "draft_saved", saved.id)
            return await _opened(store, saved, checked)

    async def propose(self, editor: Editor, draft_id: str, revision: int) -> OpenDraft[C]:
        """Ask for the approval of a draft.

        Raises DraftNotFoundError, DraftChangedError or DraftUnchangedError.
        """
        async with self.database.transaction() as session:
            store = self._store(session)
            draft, content = await _lock(store, draft_id, revision)
            proposed = replace(draft, proposed_by=editor.person, changed_at=self.clock())
            opened = await _opened(store, proposed, content)
            if not opened.changes:
                raise DraftUnchangedError
            await store.change_draft(proposed, content)
            await self._record(session, editor, "draft_proposed", proposed.id)
            return opened

    async def approve(
        self, editor: Editor, draft_id: str, revision: int, in_force_at: datetime | None = None
    ) -> Version:
        """Make a draft a version, which is in force from a time, or immediately.

        Raises DraftNotFoundError, DraftChangedError, DraftNotProposedError, SecondPersonNeededError,
        DraftOutdatedError or InForceTimeError.
        """
        try:
            async with self.database.transaction() as session:
                version = await self._approve(session, editor, (draft_id, revision), in_force_at)
        except IntegrityError:  # another draft became this version at the same time
            raise DraftOutdatedError from None
        await self.current.run_once()
        return version

    async def _approve(
        self, session: DatabaseSession, editor: Editor, wanted: tuple[str, int], in_force_at: datetime | None
    ) -> Version:
        store, now = self._store(session), self.clock().replace(microsecond=0)
        await store.lock_versions()
        draft, content = await _lock(store, *wanted)
        if draft.proposed_by is None:
            raise DraftNotProposedError
        if editor.person in draft.editors:
            raise SecondPersonNeededError
        valid = [each for each in await store.versions() if each.cancelled_at is None]
        if valid[0].number != draft.based_on:
            raise DraftOutdatedError
        at = in_force_at or now
        if at < now or at < valid[0].in_force_at:
            raise InForceTimeError
        number = (await _newest(store, cancelled=True)).number + 1
        version = Version(number, at, draft.note, ", ".join(draft.editors), editor.person, now)
        await store.add_version(version, content)
        await store.delete_draft(draft.id)
        await self._record(session, editor, "version_approved", draft.id, about=f"version {number}")
        return version

    async def discard(self, editor: Editor, draft_id: str) -> None:
        """Delete a draft. Raises DraftNotFoundError."""
        async with self.database.transaction() as session:
            store = self._store(session)
            await _find(store, draft_id, lock=True)
            await store.delete_draft(draft_id)
            await self._record(session, editor, "draft_discarded", draft_id)

    async def cancel(self, editor: Editor, number: int) -> None:
        """Cancel the newest version before it is in force.

        Raises VersionInForceError, VersionHasDraftsError or VersionNotFoundError.
        """
        async with self.database.transaction() as session:
            store, now = self._store(session), self.clock()
            await store.lock_versions()
            await store.content(number)
            newest = await _newest(store)
            if newest.number != number or newest.in_force_at <= now:
                raise VersionInForceError
            if any(draft.based_on == number for draft in await store.drafts()):
                raise VersionHasDraftsError
            await store.cancel(number, editor.person, now)
            await self._record(session, editor, "version_cancelled", str(number))
        await self.current.run_once()

    def _store(self, session: DatabaseSession) -> VersionStore[C]:
        return VersionStore(session, self.kind)

    async def _record(
        self, session: DatabaseSession, editor: Editor, action: str, subject: str, *, about: str | None = None
    ) -> None:
        actor, action = f"office {HEADQUARTERS.key} {editor.person}"[:80], f"{self.kind.name}_{action}"
        await self.audit.add(session, actor, action, subject=subject, source=editor.source, about=about)


async def _newest(store: VersionStore[C], *, cancelled: bool = False) -> Version:
    """Return the newest version, or the newest one that is not cancelled."""
    return next(each for each in await store.versions() if cancelled or each.cancelled_at is None)


async def _find(store: VersionStore[C], draft_id: str, *, lock: bool = False) -> tuple[Draft, C]:
    found = await store.draft(draft_id, lock=lock)
    if found is None:
        raise DraftNotFoundError
    return found


async def _lock(store: VersionStore[C], draft_id: str, revision: int) -> tuple[Draft, C]:
    draft, content = await _find(store, draft_id, lock=True)
    if draft.revision != revision:
        raise DraftChangedError
    return draft, content


async def _opened(store: VersionStore[C], draft: Draft, content: C) -> OpenDraft[C]:
    base = await store.content(draft.based_on)
    changes = changes_between(base.model_dump(mode="json"), content.model_dump(mode="json"))
    return OpenDraft(draft, content, changes)
