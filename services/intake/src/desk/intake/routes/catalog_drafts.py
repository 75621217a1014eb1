"""Versions and drafts of the catalogue, for the people of headquarters and their programs."""

from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from desk.chassis.app import problems
from desk.chassis.events import Moment
from desk.intake import domain
from desk.intake.domain import Catalog, Draft
from desk.intake.routes.dependencies import EDITOR_ERRORS, EditorDep, ServicesDep
from desk.intake.service.catalog_drafts import OpenDraft
from desk.iran.digits import fold

router = APIRouter(prefix="/api/office/catalog")
CONTENT_BYTES_MAX = 1024 * 1024
BODY_LIMITS = {"/api/office/catalog/drafts": CONTENT_BYTES_MAX}
DraftId = Annotated[str, Path(pattern=r"^[0-9a-f-]{36}$")]
Number = Annotated[int, Path(ge=1, le=1_000_000)]
Note = Annotated[str, AfterValidator(fold), Field(min_length=3, max_length=600)]


class BeginForm(BaseModel):
    """A new draft: why, and with the content of which version, by default the newest."""

    note: Note
    from_version: Annotated[int, Field(ge=1, le=1_000_000)] | None = None


class RevisionForm(BaseModel):
    """The revision that the caller has read."""

    revision: Annotated[int, Field(ge=1)]


class SaveForm(RevisionForm):
    """The content of a draft, whole."""

    id: Annotated[str, StringConstraints(pattern=r"^[0-9a-f-]{36}$")]
    note: Note
    content: dict[str, Any]


class ApprovalForm(RevisionForm):
    """The approval of a draft; without a time it is in force immediately."""

    in_force_at: domain.CatalogMoment | None = None


class VersionView(BaseModel):
    """A version; ``author`` and ``approved_by`` are people of headquarters, empty for the first version."""

    model_config = ConfigDict(from_attributes=True)

    number: int
    in_force_at: Moment
    note: str
    author: str
    approved_by: str
    approved_at: Moment
    cancelled_at: Moment | None
    cancelled_by: str | None


class VersionsView(BaseModel):
    """All versions, the newest first; ``in_force`` is the number of the one in force."""

    in_force: int
    versions: list[VersionView]


class ContentView(BaseModel):
    """The content of a version."""

    number: int
    content: Catalog


class ChangeView(BaseModel):
    """A difference from the version the draft began with; a side is null if the part is missing there."""

    model_config = ConfigDict(from_attributes=True)

    path: str
    before: Any
    after: Any


class DraftView(BaseModel):
    """A draft; ``revision`` changes with each change of it. ``preview`` is a part of the address of its preview."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    revision: int
    based_on: int
    note: str
    editors: list[str]
    proposed_by: str | None
    changed_at: Moment
    preview: str


class OpenDraftView(DraftView):
    """A draft with its content and its differences."""

    content: Catalog
    changes: list[ChangeView]


@router.get("/versions", summary="List the versions of the catalogue", responses=problems(*EDITOR_ERRORS))
async def versions(_editor: EditorDep, services: ServicesDep) -> VersionsView:
    """List the versions, the newest first."""
    found = await services.catalog_drafts.versions()
    return VersionsView(
        in_force=services.catalog.get().version, versions=[VersionView.model_validate(each) for each in found]
    )


@router.get(
    "/versions/{number}",
    summary="Read a version",
    responses=problems(*EDITOR_ERRORS, domain.VersionNotFoundError),
)
async def version(number: Number, _editor: EditorDep, services: ServicesDep) -> ContentView:
    """Return the content of a version."""
    return ContentView(number=number, content=await services.catalog_drafts.content(number))


@router.delete(
    "/versions/{number}",
    summary="Cancel a version before it is in force",
    status_code=204,
    responses=problems(
        *EDITOR_ERRORS, domain.VersionNotFoundError, domain.VersionInForceError, domain.VersionHasDraftsError
    ),
)
async def cancel(number: Number, editor: EditorDep, services: ServicesDep) -> None:
    """Cancel the newest version, unless it is in force; it stays in the list."""
    await services.catalog_drafts.cancel(editor, number)


@router.get("/drafts", summary="List the drafts", responses=problems(*EDITOR_ERRORS))
async def drafts(_editor: EditorDep, services: ServicesDep) -> list[DraftView]:
    """List the drafts, the one that was changed last first."""
    return [_draft(each) for each in await services.catalog_drafts.drafts()]


@router.post(
    "/drafts",
    summary="Begin a draft",
    status_code=201,
    responses=problems(*EDITOR_ERRORS, domain.VersionNotFoundError),
)
async def begin(form: BeginForm, editor: EditorDep, services: ServicesDep) -> OpenDraftView:
    """Begin a draft of the next version; from an earlier version it is a way back to it."""
    return _opened(await services.catalog_drafts.begin(editor, form.note, form.from_version))


@router.put(
    "/drafts",
    summary="Store the content of a draft",
    responses=problems(*EDITOR_ERRORS, domain.DraftNotFoundError, domain.DraftChangedError, domain.CatalogInvalidError),
)
async def save(form: SaveForm, editor: EditorDep, services: ServicesDep) -> OpenDraftView:
    """Store the whole content of a draft, which then has to be proposed again."""
    return _opened(await services.catalog_drafts.save(editor, form.id, form.revision, form.note, form.content))


@router.get("/drafts/{draft_id}", summary="Read a draft", responses=problems(*EDITOR_ERRORS, domain.DraftNotFoundError))
async def draft(draft_id: DraftId, _editor: EditorDep, services: ServicesDep) -> OpenDraftView:
    """Return a draft with its content and its differences."""
    return _opened(await services.catalog_drafts.open(draft_id))


@router.delete(
    "/drafts/{draft_id}",
    summary="Discard a draft",
    status_code=204,
    responses=problems(*EDITOR_ERRORS, domain.DraftNotFoundError),
)
async def discard(draft_id: DraftId, editor: EditorDep, services: ServicesDep) -> None:
    """Delete a draft."""
    await services.catalog_drafts.discard(editor, draft_id)


@router.post(
    "/drafts/{draft_id}/proposal",
    summary="Propose a draft for approval",
    responses=problems(*EDITOR_ERRORS, domain.DraftNotFoundError, domain.DraftChangedError, domain.DraftUnchangedError),
)
async def propose(draft_id: DraftId, form: RevisionForm, editor: EditorDep, services: ServicesDep) -> OpenDraftView:
    """Ask for the approval of a draft."""
    return _opened(await services.catalog_drafts.propose(editor, draft_id, form.revision))


@router.post(
    "/drafts/{draft_id}/approval",
    summary="Approve a draft",
    status_code=201,
    responses=problems(
        *EDITOR_ERRORS,
        domain.DraftNotFoundError,
        domain.DraftChangedError,
        domain.DraftNotProposedError,
        domain.SecondPersonNeededError,
        domain.DraftOutdatedError,
        domain.InForceTimeError,
    ),
)
async def approve(draft_id: DraftId, form: ApprovalForm, editor: EditorDep, services: ServicesDep) -> VersionView:
    """Make a draft of others the next version."""
    made = await services.catalog_drafts.approve(editor, draft_id, form.revision, form.in_force_at)
    return VersionView.model_validate(made)


def _draft(draft: Draft) -> DraftView:
    return DraftView.model_validate(draft)


def _opened(found: OpenDraft) -> OpenDraftView:
    changes = [ChangeView.model_validate(each) for each in found.changes]
    return OpenDraftView(**_draft(found.draft).model_dump(), content=found.content, changes=changes)
