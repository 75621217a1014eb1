"""Editing the catalogue: a draft, its approval by a second person, and a version that is in force at a given time."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from pydantic import ValidationError
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from desk.chassis.audit import AuditLog
from desk.chassis.problem import FieldError
from desk.database import Database
from desk.intake.domain import (
    Catalog,
    CatalogDocument,
    CatalogError,
    CatalogInvalidError,
    Change,
    Draft,
    DraftChangedError,
    DraftNotFoundError,
    DraftNotProposedError,
    DraftOutdatedError,
    DraftUnchangedError,
    InForceTimeError,
    SecondPersonNeededError,
    Version,
    VersionHasDraftsError,
    VersionInForceError,
    changes_between,
)
from desk.intake.service.current_catalog import CurrentCatalog
from desk.intake.store import CatalogStore


@dataclass(frozen=True, slots=True)
class Editor:
    """The person of headquarters who acts, and the address of the call."""

    person: str
    source: str


@dataclass(frozen=True, slots=True)
class OpenDraft:
    """A draft with its content, and how it differs from the version it began with."""

    draft: Draft
    content: Catalog
    changes: list[Change]


@dataclass(frozen=True, slots=True)
class CatalogDrafts:
    """Drafts and versions of the catalogue. Each action is audited."""

    database: Database
    audit: AuditLog
    current: CurrentCatalog
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    async def versions(self) -> list[Version]:
        """List all versions, the newest first."""
        async with self.database.read() as session:
            return await CatalogStore(session).versions()

    async def content(self, number: int) -> Catalog:
        """Return the content of a version. Raises VersionNotFoundError."""
        async with self.database.read() as session:
            return await CatalogStore(session).content(number)

    async def drafts(self) -> list[Draft]:
        """List the drafts."""
        async with self.database.read() as session:
            return await CatalogStore(session).drafts()

    async def open(self, draft_id: str) -> OpenDraft:
        """Return a draft. Raises DraftNotFoundError."""
        async with self.database.read() as session:
            store = CatalogStore(session)
            return await _opened(store, *await _find(store, draft_id))

    async def preview(self, preview: str) -> CatalogDocument:
        """Return a draft as pages show it once it is in force. Raises DraftNotFoundError."""
        async with self.database.read() as session:
            found = await CatalogStore(session).previewed(preview)
        if found is None:
            raise DraftNotFoundError
        draft, content = found
        return CatalogDocument.of(content.at(self.clock()), draft.based_on + 1)

    async def begin(self, editor: Editor, note: str, from_version: int | None = None) -> OpenDraft:
        """Add a draft with the content of the newest version, or of another one to return to it.

        Raises VersionNotFoundError.
        """
        async with self.database.transaction() as session:
            store = CatalogStore(session)
            await store.add_first()
            await store.lock_versions()
            newest = await _newest(store)
            content = await store.content(from_version or newest.number)
            if from_version:
                content = content.with_keys_of(await store.content(newest.number), self.clock().replace(microsecond=0))
            draft = await store.add_draft(editor.person, newest.number, note, content)
            await self._record(session, editor, "catalog_draft_begun", draft)
            return await _opened(store, draft, content)

    async def save(self, editor: Editor, draft_id: str, revision: int, note: str, content: object) -> OpenDraft:
        """Store content of a draft, which then has to be proposed again.

        ``revision`` is the one that the caller read. Raises DraftNotFoundError, DraftChangedError or
        CatalogInvalidError.
        """
        async with self.database.transaction() as session:
            store = CatalogStore(session)
            draft, _ = await _lock(store, draft_id, revision)
            catalog = read_content(content, await store.content(draft.based_on))
            saved = replace(
                draft,
                revision=draft.revision + 1,
                note=note,
                editors=tuple(dict.fromkeys((*draft.editors, editor.person))),
                proposed_by=None,
                changed_at=self.clock(),
            )
            await store.change_draft(saved, catalog)
            await self._record(session, editor, "catalog_draft_saved", saved)
            return await _opened(store, saved, catalog)

    async def propose(self, editor: Editor, draft_id: str, revision: int) -> OpenDraft:
        """Ask for the approval of a draft.

        Raises DraftNotFoundError, DraftChangedError or DraftUnchangedError.
        """
        async with self.database.transaction() as session:
            store = CatalogStore(session)
            draft, content = await _lock(store, draft_id, revision)
            proposed = replace(draft, proposed_by=editor.person, changed_at=self.clock())
            opened = await _opened(store, proposed, content)
            if not opened.changes:
                raise DraftUnchangedError
            await store.change_draft(proposed, content)
            await self._record(session, editor, "catalog_draft_proposed", proposed)
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
        self, session: AsyncSession, editor: Editor, wanted: tuple[str, int], in_force_at: datetime | None
    ) -> Version:
        store, now = CatalogStore(session), self.clock().replace(microsecond=0)
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
        await self._record(session, editor, "catalog_version_approved", draft, about=f"version {number}")
        return version

    async def discard(self, editor: Editor, draft_id: str) -> None:
        """Delete a draft. Raises DraftNotFoundError."""
        async with self.database.transaction() as session:
            store = CatalogStore(session)
            draft, _ = await _find(store, draft_id, lock=True)
            await store.delete_draft(draft_id)
            await self._record(session, editor, "catalog_draft_discarded", draft)

    async def cancel(self, editor: Editor, number: int) -> None:
        """Cancel the newest version before it is in force.

        Raises VersionInForceError, VersionHasDraftsError or VersionNotFoundError.
        """
        async with self.database.transaction() as session:
            store, now = CatalogStore(session), self.clock()
            await store.lock_versions()
            await store.content(number)
            newest = await _newest(store)
            if newest.number != number or newest.in_force_at <= now:
                raise VersionInForceError
            if any(draft.based_on == number for draft in await store.drafts()):
                raise VersionHasDraftsError
            await store.cancel(number, editor.person, now)
            await self.audit.add(
                session,
                f"office headquarters {editor.person}"[:80],
                "catalog_version_cancelled",
                subject=str(number),
                source=editor.source,
            )
        await self.current.run_once()

    async def _record(
        self, session: AsyncSession, editor: Editor, action: str, draft: Draft, *, about: str | None = None
    ) -> None:
        actor = f"office headquarters {editor.person}"[:80]
        await self.audit.add(session, actor, action, subject=draft.id, source=editor.source, about=about)


def read_content(content: object, earlier: Catalog) -> Catalog:
    """Return content as a catalogue. Raises CatalogInvalidError, with a sentence for each fault."""
    try:
        catalog = Catalog.model_validate(content)
        catalog.require_keys_of(earlier)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False)
        raise CatalogInvalidError(
            [_fault(".".join(map(str, each["loc"])) or "content", each["msg"]) for each in faults]
        ) from None
    except CatalogError as error:
        raise CatalogInvalidError([_fault("subjects", str(error))]) from None
    return catalog


def _fault(place: str, rule: str) -> FieldError:
    return FieldError(place, "catalog_invalid", f"این بخش درست نیست: {rule}")


async def _newest(store: CatalogStore, *, cancelled: bool = False) -> Version:
    """Return the newest version, or the newest one that is not cancelled."""
    return next(each for each in await store.versions() if cancelled or each.cancelled_at is None)


async def _find(store: CatalogStore, draft_id: str, *, lock: bool = False) -> tuple[Draft, Catalog]:
    found = await store.draft(draft_id, lock=lock)
    if found is None:
        raise DraftNotFoundError
    return found


async def _lock(store: CatalogStore, draft_id: str, revision: int) -> tuple[Draft, Catalog]:
    draft, content = await _find(store, draft_id, lock=True)
    if draft.revision != revision:
        raise DraftChangedError
    return draft, content


async def _opened(store: CatalogStore, draft: Draft, content: Catalog) -> OpenDraft:
    base = await store.content(draft.based_on)
    return OpenDraft(draft, content, changes_between(base, content))
