"""Editing the desk's catalogue in headquarters' console."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from desk.console.clients import DeskClients
from desk.console.domain.accounts import Account
from desk.console.domain.catalog_forms import Form, Part, find, read_announcements, read_sub_subject, read_time
from desk.console.domain.errors import FieldError, NotFoundError
from desk.expert import (
    CatalogDraft,
    CatalogDrafts,
    CatalogRefusedError,
    CatalogVersion,
    CatalogVersions,
    OpenCatalogDraft,
)
from desk.iran.offices import HEADQUARTERS


@dataclass(frozen=True, slots=True)
class CatalogEditing:
    """Drafts and versions of the catalogue, which the desk keeps and audits. Raises CatalogRefusedError."""

    clients: DeskClients

    @property
    def _desk(self) -> CatalogDrafts:
        client = self.clients.get(HEADQUARTERS.key)
        if client is None:
            raise CatalogRefusedError("no_client", "headquarters is no office of this console")
        return client.catalog_drafts

    async def overview(self, account: Account) -> tuple[CatalogVersions, list[CatalogDraft]]:
        """Return versions and drafts."""
        return await self._desk.versions(account.username), await self._desk.drafts(account.username)

    async def begin(self, account: Account, note: str, version: str) -> OpenCatalogDraft:
        """Begin a draft, with the content of an earlier version if one is named. Raises FieldError."""
        if len(note.strip()) < 3:  # noqa: PLR2004 - a reason has a word
            raise FieldError("note", "بنویسید چه چیزی و چرا تغییر می‌کند.")
        return await self._desk.begin(account.username, note.strip(), int(version) if version.isdecimal() else None)

    async def open(self, account: Account, draft_id: str) -> OpenCatalogDraft:
        """Return a draft."""
        return await self._desk.open(account.username, draft_id)

    async def save_sub_subject(self, account: Account, draft_id: str, keys: tuple[str, str | None], form: Form) -> None:
        """Store a sub-subject of a form; without a key it is a new one. Raises FieldError or NotFoundError."""
        subject_key, key = keys

        def change(content: Part) -> None:
            before = find(content, subject_key, key) if key else None
            subject = next((each for each in content["subjects"] if each["key"] == subject_key), None)
            if subject is None or (key and before is None):
                raise NotFoundError
            changed = read_sub_subject(form, before)
            parts: list[Part] = subject["sub_subjects"]
            if before is None:
                parts.append(changed)
            else:
                parts[parts.index(before)] = changed

        await self._change(account, draft_id, form, change)

    async def save_announcements(self, account: Account, draft_id: str, form: Form) -> None:
        """Store notices, closures and days off of a form. Raises FieldError."""
        await self._change(account, draft_id, form, lambda content: content.update(read_announcements(form, content)))

    async def _change(self, account: Account, draft_id: str, form: Form, change: Callable[[Part], None]) -> None:
        draft = await self._desk.open(account.username, draft_id)
        content = draft.content
        change(content)
        read = draft.model_copy(update={"revision": _revision(form)})
        await self._desk.save(account.username, read, content)

    async def propose(self, account: Account, draft_id: str, form: Form) -> None:
        """Ask for the approval of a draft."""
        await self._desk.propose(account.username, draft_id, _revision(form))

    async def approve(self, account: Account, draft_id: str, form: Form) -> CatalogVersion:
        """Approve a draft of others, in force from a typed time or immediately. Raises FieldError."""
        account.require_supervisor()
        text = read_time("in_force_at", form.get("in_force_at", ""))
        return await self._desk.approve(
            account.username, draft_id, _revision(form), None if text is None else datetime.fromisoformat(text)
        )

    async def discard(self, account: Account, draft_id: str) -> None:
        """Delete a draft."""
        await self._desk.discard(account.username, draft_id)

    async def cancel(self, account: Account, number: int) -> None:
        """Cancel a version before it is in force."""
        account.require_supervisor()
        await self._desk.cancel(account.username, number)


def _revision(form: Form) -> int:
    text = form.get("revision", "")
    return int(text) if text.isdecimal() else 0
