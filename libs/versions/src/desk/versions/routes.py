"""Versions and drafts of a kind of document, for the people of headquarters and their programs."""

from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel

from desk.chassis.app import problems
from desk.chassis.problem import DomainError
from desk.versions import errors
from desk.versions.callers import EDITOR_ERRORS, DraftsDep, EditorDep
from desk.versions.drafts import OpenDraft
from desk.versions.forms import (
    ApprovalForm,
    BeginForm,
    DraftId,
    Number,
    RevisionForm,
    SaveForm,
    VersionsView,
    VersionView,
)
from desk.versions.rules import Draft, Version


@dataclass(frozen=True, slots=True)
class Views:
    """The bodies of a kind: of a version's content, of a draft, and of a draft with its content."""

    content: type[BaseModel]
    draft: type[BaseModel]
    open_draft: type[BaseModel]


async def versions(_editor: EditorDep, drafts: DraftsDep) -> VersionsView:
    """List the versions, the newest first."""
    found = await drafts.versions()
    return VersionsView(in_force=drafts.current.number, versions=[VersionView.model_validate(each) for each in found])


async def version(number: Number, _editor: EditorDep, drafts: DraftsDep) -> dict[str, Any]:
    """Return the content of a version."""
    return {"number": number, "content": await drafts.content(number)}


async def cancel(number: Number, editor: EditorDep, drafts: DraftsDep) -> None:
    """Cancel the newest version, unless it is in force; it stays in the list."""
    await drafts.cancel(editor, number)


async def list_drafts(_editor: EditorDep, drafts: DraftsDep) -> list[Draft]:
    """List the drafts, the one that was changed last first."""
    return await drafts.drafts()


async def begin(form: BeginForm, editor: EditorDep, drafts: DraftsDep) -> dict[str, Any]:
    """Begin a draft of the next version; from an earlier version it is a way back to it."""
    return opened(await drafts.begin(editor, form.note, form.from_version))


async def save(form: SaveForm, editor: EditorDep, drafts: DraftsDep) -> dict[str, Any]:
    """Store the whole content of a draft, which then has to be proposed again."""
    return opened(await drafts.save(editor, form.id, form.revision, form.note, form.content))


async def draft(draft_id: DraftId, _editor: EditorDep, drafts: DraftsDep) -> dict[str, Any]:
    """Return a draft with its content and its differences."""
    return opened(await drafts.open(draft_id))


async def discard(draft_id: DraftId, editor: EditorDep, drafts: DraftsDep) -> None:
    """Delete a draft."""
    await drafts.discard(editor, draft_id)


async def propose(draft_id: DraftId, form: RevisionForm, editor: EditorDep, drafts: DraftsDep) -> dict[str, Any]:
    """Ask for the approval of a draft."""
    return opened(await drafts.propose(editor, draft_id, form.revision))


async def approve(draft_id: DraftId, form: ApprovalForm, editor: EditorDep, drafts: DraftsDep) -> Version:
    """Make a draft of others the next version."""
    return await drafts.approve(editor, draft_id, form.revision, form.in_force_at)


def opened(found: OpenDraft[Any]) -> dict[str, Any]:
    """Return a draft with its content and its differences as a body."""
    names = Draft.__dataclass_fields__
    values = {name: getattr(found.draft, name) for name in names}
    return values | {"content": found.content, "changes": found.changes}


def version_routes(prefix: str, document: str, views: Views, invalid: type[DomainError]) -> APIRouter:
    """Return the routes of a kind; ``document`` is its name in their summaries, ``invalid`` its ContentInvalidError."""
    router = APIRouter(prefix=prefix)

    def add(method: str, path: str, handler: Any, view: Any, summary: str, *refusals: type[DomainError]) -> None:
        status = 204 if view is None else 201 if handler in {begin, approve} else 200
        router.add_api_route(
            path,
            handler,
            methods=[method],
            response_model=view,
            status_code=status,
            summary=summary,
            name=handler.__name__.removeprefix("list_"),
            responses=problems(*EDITOR_ERRORS, *refusals),
        )

    not_found, changed = errors.DraftNotFoundError, errors.DraftChangedError
    add("GET", "/versions", versions, VersionsView, f"List the versions of {document}")
    add("GET", "/versions/{number}", version, views.content, "Read a version", errors.VersionNotFoundError)
    add(
        "DELETE",
        "/versions/{number}",
        cancel,
        None,
        "Cancel a version before it is in force",
        errors.VersionNotFoundError,
        errors.VersionInForceError,
        errors.VersionHasDraftsError,
    )
    add("GET", "/drafts", list_drafts, list[views.draft], "List the drafts")  # type: ignore[name-defined]
    add("POST", "/drafts", begin, views.open_draft, "Begin a draft", errors.VersionNotFoundError)
    add("PUT", "/drafts", save, views.open_draft, "Store the content of a draft", not_found, changed, invalid)
    add("GET", "/drafts/{draft_id}", draft, views.open_draft, "Read a draft", not_found)
    add("DELETE", "/drafts/{draft_id}", discard, None, "Discard a draft", not_found)
    add(
        "POST",
        "/drafts/{draft_id}/proposal",
        propose,
        views.open_draft,
        "Propose a draft for approval",
        not_found,
        changed,
        errors.DraftUnchangedError,
    )
    add(
        "POST",
        "/drafts/{draft_id}/approval",
        approve,
        VersionView,
        "Approve a draft",
        not_found,
        changed,
        errors.DraftNotProposedError,
        errors.SecondPersonNeededError,
        errors.DraftOutdatedError,
        errors.InForceTimeError,
    )
    return router
