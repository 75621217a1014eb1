"""Documents that headquarters changes in versions: drafts, and their approval by a second person."""

from datetime import datetime
from typing import Any, TypeVar

import httpx
from pydantic import AwareDatetime, BaseModel, ConfigDict, TypeAdapter, ValidationError

from desk.expert.calls import SignedCalls
from desk.expert.errors import DocumentRefusedError
from desk.expert.figures import HEADQUARTERS

Content = dict[str, Any]
"""The content of a version as JSON; see the contract."""
_T = TypeVar("_T")


class Read(BaseModel):
    """A part of the desk's answer; fields that only a later desk has are ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class DocumentVersion(Read):
    """A version; ``author`` and ``approved_by`` are empty for the first one."""

    number: int
    in_force_at: AwareDatetime
    note: str
    author: str
    approved_by: str
    approved_at: AwareDatetime
    cancelled_at: AwareDatetime | None
    cancelled_by: str | None


class DocumentVersions(Read):
    """All versions, the newest first; ``in_force`` is the number of the one in force."""

    in_force: int
    versions: list[DocumentVersion]


class DocumentChange(Read):
    """A difference from the version a draft began with; a side is None if the part is missing there."""

    path: str
    before: Any
    after: Any


class DocumentDraft(Read):
    """A draft; ``revision`` changes with each change."""

    id: str
    revision: int
    based_on: int
    note: str
    editors: list[str]
    proposed_by: str | None
    changed_at: AwareDatetime
    preview: str = ""
    """For a draft of the catalogue: ``/send#preview=<preview>`` shows it as an applicant sees it."""


class OpenDocumentDraft(DocumentDraft):
    """A draft with its content and its differences."""

    content: Content
    changes: list[DocumentChange]


class _Version(Read):
    content: Content


class DocumentDrafts:
    """A client of the desk's routes for versions of a document; each document has a subclass.

    Each method takes the ``person`` who acts: a user name of headquarters' own system, which the desk records.
    It raises the document's DocumentRefusedError.
    """

    audience: str
    path: str
    refused: type[DocumentRefusedError]

    def __init__(self, url: str, private_key: str, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        """``private_key`` is the PEM of headquarters' Ed25519 key."""
        self._calls = SignedCalls(url, HEADQUARTERS, private_key, self.audience, self.refused, transport=transport)

    async def versions(self, person: str) -> DocumentVersions:
        """List the versions."""
        return await self._ask(person, "GET", "/versions", DocumentVersions)

    async def content(self, person: str, number: int) -> Content:
        """Return the content of a version."""
        return (await self._ask(person, "GET", f"/versions/{number}", _Version)).content

    async def cancel(self, person: str, number: int) -> None:
        """Cancel the newest version before it is in force."""
        await self._send(person, "DELETE", f"/versions/{number}")

    async def drafts(self, person: str) -> list[DocumentDraft]:
        """List the drafts."""
        return await self._ask(person, "GET", "/drafts", list[DocumentDraft])

    async def open(self, person: str, draft_id: str) -> OpenDocumentDraft:
        """Return a draft."""
        return await self._ask(person, "GET", f"/drafts/{draft_id}", OpenDocumentDraft)

    async def begin(self, person: str, note: str, from_version: int | None = None) -> OpenDocumentDraft:
        """Begin a draft with the content of the newest version, or of another one to return to it."""
        return await self._ask(
            person, "POST", "/drafts", OpenDocumentDraft, {"note": note, "from_version": from_version}
        )

    async def save(self, person: str, draft: OpenDocumentDraft, content: Content) -> OpenDocumentDraft:
        """Store content of a draft, which then has to be proposed again."""
        body = {"id": draft.id, "revision": draft.revision, "note": draft.note, "content": content}
        return await self._ask(person, "PUT", "/drafts", OpenDocumentDraft, body)

    async def discard(self, person: str, draft_id: str) -> None:
        """Delete a draft."""
        await self._send(person, "DELETE", f"/drafts/{draft_id}")

    async def propose(self, person: str, draft_id: str, revision: int) -> OpenDocumentDraft:
        """Ask for the approval of a draft."""
        return await self._ask(
            person, "POST", f"/drafts/{draft_id}/proposal", OpenDocumentDraft, {"revision": revision}
        )

    async def approve(
        self, person: str, draft_id: str, revision: int, in_force_at: datetime | None = None
    ) -> DocumentVersion:
        """Make a draft of other people the next version, in force from a time or immediately."""
        body = {"revision": revision, "in_force_at": in_force_at.isoformat() if in_force_at else None}
        return await self._ask(person, "POST", f"/drafts/{draft_id}/approval", DocumentVersion, body)

    async def close(self) -> None:
        """Close the connections."""
        await self._calls.close()

    async def _send(self, person: str, method: str, path: str, body: Content | None = None) -> httpx.Response:
        content: dict[str, Any] = {} if body is None else {"json": body}
        return self._calls.require_success(await self._calls.send(method, self.path + path, person=person, **content))

    async def _ask(self, person: str, method: str, path: str, kind: type[_T], body: Content | None = None) -> _T:
        answer = await self._send(person, method, path, body)
        try:
            return TypeAdapter(kind).validate_json(answer.content)
        except ValidationError as error:
            raise self.refused("unreadable", f"{error.error_count()} fields differ from the contract") from error
