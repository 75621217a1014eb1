"""Editing a document that the desk keeps in versions, in headquarters' console."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import datetime

from desk.console.clients import DeskClient, DeskClients
from desk.console.domain.accounts import Account
from desk.console.domain.catalog_forms import Form, Part, read_time
from desk.console.domain.errors import FieldError
from desk.expert import (
    DocumentDraft,
    DocumentDrafts,
    DocumentRefusedError,
    DocumentVersion,
    DocumentVersions,
    OpenDocumentDraft,
)
from desk.iran.offices import HEADQUARTERS


class DocumentEditing(ABC):
    """Drafts and versions of a document, which the desk keeps and audits. Raises DocumentRefusedError."""

    def __init__(self, clients: DeskClients) -> None:
        self._clients = clients

    @property
    def _client(self) -> DeskClient:
        client = self._clients.get(HEADQUARTERS.key)
        if client is None:
            raise DocumentRefusedError("no_client", "headquarters is no office of this console")
        return client

    @property
    @abstractmethod
    def _desk(self) -> DocumentDrafts:
        """The desk's routes for this document."""

    async def overview(self, account: Account) -> tuple[DocumentVersions, list[DocumentDraft]]:
        """Return versions and drafts."""
        return await self._desk.versions(account.username), await self._desk.drafts(account.username)

    async def begin(self, account: Account, note: str, version: str) -> OpenDocumentDraft:
        """Begin a draft, with the content of an earlier version if one is named. Raises FieldError."""
        if len(note.strip()) < 3:  # noqa: PLR2004 - a reason has a word
            raise FieldError("note", "بنویسید چه چیزی و چرا تغییر می‌کند.")
        return await self._desk.begin(account.username, note.strip(), int(version) if version.isdecimal() else None)

    async def open(self, account: Account, draft_id: str) -> OpenDocumentDraft:
        """Return a draft."""
        return await self._desk.open(account.username, draft_id)

    async def change(self, account: Account, draft_id: str, form: Form, change: Callable[[Part], None]) -> None:
        """Store a change of a draft whose page had the form."""
        draft = await self._desk.open(account.username, draft_id)
        content = draft.content
        change(content)
        read = draft.model_copy(update={"revision": _revision(form)})
        await self._desk.save(account.username, read, content)

    async def propose(self, account: Account, draft_id: str, form: Form) -> None:
        """Ask for the approval of a draft."""
        await self._desk.propose(account.username, draft_id, _revision(form))

    async def approve(self, account: Account, draft_id: str, form: Form) -> DocumentVersion:
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
