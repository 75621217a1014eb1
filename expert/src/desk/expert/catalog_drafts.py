"""Editing the desk's catalogue, by headquarters: versions, drafts, and their approval by a second person."""

from datetime import datetime
from typing import Any, TypeVar

import httpx
from pydantic import AwareDatetime, BaseModel, ConfigDict, TypeAdapter, ValidationError

from desk.expert.calls import SignedCalls
from desk.expert.errors import CatalogRefusedError
from desk.expert.figures import HEADQUARTERS

AUDIENCE = "desk.catalog"
_PATH = "/api/office/catalog"
_T = TypeVar("_T")
Content = dict[str, Any]
"""The content of a version as JSON: ``subjects``, ``notices``, ``closures`` and ``holidays``; see the contract."""


class _Read(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class CatalogVersion(_Read):
    """A version of the catalogue; ``author`` and ``approved_by`` are empty for the first one."""

    number: int
    in_force_at: AwareDatetime
    note: str
    author: str
    approved_by: str
    approved_at: AwareDatetime
    cancelled_at: AwareDatetime | None
    cancelled_by: str | None


class CatalogVersions(_Read):
    """All versions, the newest first; ``in_force`` is the number of the one in force."""

    in_force: int
    versions: list[CatalogVersion]


class CatalogChange(_Read):
    """A difference from the version a draft began with; a side is None if the part is missing there."""

    path: str
    before: Any
    after: Any


class CatalogDraft(_Read):
    """A draft; ``revision`` changes with each change. ``/send#preview=<preview>`` shows it as an applicant sees it."""

    id: str
    revision: int
    based_on: int
    note: str
    editors: list[str]
    proposed_by: str | None
    changed_at: AwareDatetime
    preview: str


class OpenCatalogDraft(CatalogDraft):
    """A draft with its content and its differences."""

    content: Content
    changes: list[CatalogChange]


class _Version(_Read):
    content: Content


class CatalogDrafts:
    """A client of the desk's routes for versions of the catalogue.

    Each method takes the ``person`` who acts: a user name of headquarters' own system, which the desk records.
    It raises CatalogRefusedError.
    """

    def __init__(self, url: str, private_key: str, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        """``private_key`` is the PEM of headquarters' Ed25519 key."""
        self._calls = SignedCalls(url, HEADQUARTERS, private_key, AUDIENCE, CatalogRefusedError, transport=transport)

    async def versions(self, person: str) -> CatalogVersions:
        """List the versions."""
        return await self._ask(person, "GET", "/versions", CatalogVersions)

    async def content(self, person: str, number: int) -> Content:
        """Return the content of a version."""
        return (await self._ask(person, "GET", f"/versions/{number}", _Version)).content

    async def cancel(self, person: str, number: int) -> None:
        """Cancel the newest version before it is in force."""
        await self._send(person, "DELETE", f"/versions/{number}")

    async def drafts(self, person: str) -> list[CatalogDraft]:
        """List the drafts."""
        return await self._ask(person, "GET", "/drafts", list[CatalogDraft])

    async def open(self, person: str, draft_id: str) -> OpenCatalogDraft:
        """Return a draft."""
        return await self._ask(person, "GET", f"/drafts/{draft_id}", OpenCatalogDraft)

    async def begin(self, person: str, note: str, from_version: int | None = None) -> OpenCatalogDraft:
        """Begin a draft with the content of the newest version, or of another one to return to it."""
        return await self._ask(
            person, "POST", "/drafts", OpenCatalogDraft, {"note": note, "from_version": from_version}
        )

    async def save(self, person: str, draft: OpenCatalogDraft, content: Content) -> OpenCatalogDraft:
        """Store content of a draft, which then has to be proposed again."""
        body = {"id": draft.id, "revision": draft.revision, "note": draft.note, "content": content}
        return await self._ask(person, "PUT", "/drafts", OpenCatalogDraft, body)

    async def discard(self, person: str, draft_id: str) -> None:
        """Delete a draft."""
        await self._send(person, "DELETE", f"/drafts/{draft_id}")

    async def propose(self, person: str, draft_id: str, revision: int) -> OpenCatalogDraft:
        """Ask for the approval of a draft."""
        return await self._ask(person, "POST", f"/drafts/{draft_id}/proposal", OpenCatalogDraft, {"revision": revision})

    async def approve(
        self, person: str, draft_id: str, revision: int, in_force_at: datetime | None = None
    ) -> CatalogVersion:
        """Make a draft of other people the next version, in force from a time or immediately."""
        body = {"revision": revision, "in_force_at": in_force_at.isoformat() if in_force_at else None}
        return await self._ask(person, "POST", f"/drafts/{draft_id}/approval", CatalogVersion, body)

    async def close(self) -> None:
        """Close the connections."""
        await self._calls.close()

    async def _send(self, person: str, method: str, path: str, body: Content | None = None) -> httpx.Response:
        content: dict[str, Any] = {} if body is None else {"json": body}
        return self._calls.require_success(await self._calls.send(method, _PATH + path, person=person, **content))

    async def _ask(self, person: str, method: str, path: str, kind: type[_T], body: Content | None = None) -> _T:
        answer = await self._send(person, method, path, body)
        try:
            return TypeAdapter(kind).validate_json(answer.content)
        except ValidationError as error:
            raise CatalogRefusedError("unreadable", f"{error.error_count()} fields differ from the contract") from error
