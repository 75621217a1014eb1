"""The pages on which headquarters edits the catalogue: versions, drafts, and the parts of a draft."""

from fastapi import Response

from desk.console.domain.catalog_changes import readable
from desk.console.domain.catalog_forms import (
    FIELD_KINDS,
    LEVELS,
    PAGES,
    Form,
    Part,
    find,
    rows_of,
    show_holidays,
    show_time,
)
from desk.console.domain.errors import ConsoleError, FieldError, NotFoundError
from desk.console.routes.dependencies import RequireFormWord, redirect
from desk.console.routes.documents import DocumentPages, FormDep, Visit, VisitDep, document_routes, refusal
from desk.expert import DocumentRefusedError, OpenDocumentDraft
from desk.iran.offices import OFFICES

_KINDS = {"FIELD_KINDS": FIELD_KINDS, "PAGES": PAGES, "LEVELS": LEVELS, "offices": OFFICES}


async def _changes(_visit: Visit, draft: OpenDocumentDraft) -> Part:
    return {"changes": readable(draft.changes, draft.content)}


pages = DocumentPages("/catalog", "catalog", lambda services: services.catalog, _changes)
router = document_routes(pages)


@router.get("/drafts/{draft_id}/subjects/{subject}/{key}")
async def show_sub_subject(visit: VisitDep, *, draft_id: str, subject: str, key: str) -> Response:
    """Show the form of a sub-subject; the key ``new`` is for another one."""
    return await _sub_subject(visit, (draft_id, subject, key))


async def _sub_subject(
    visit: Visit, place: tuple[str, str, str], *, error: ConsoleError | None = None, typed: Form | None = None
) -> Response:
    draft_id, subject_key, key = place

    async def values(draft: OpenDocumentDraft) -> Part:
        subject = next((each for each in draft.content["subjects"] if each["key"] == subject_key), None)
        part: Part | None = {} if key == "new" else find(draft.content, subject_key, key)
        if subject is None or part is None:
            raise NotFoundError
        times = {name: show_time(part.get(name)) for name in ("active_from", "active_until")}
        rows = {name: rows_of(part.get(name, [])) for name in ("fields", "documents", "closures")}
        return {**_KINDS, "subject": subject, "key": key, "part": part | times, "rows": rows}

    return await pages.part(visit, draft_id, "catalog_sub_subject.html", values, error=error, typed=typed)


@router.post("/drafts/{draft_id}/subjects/{subject}/{key}", dependencies=[RequireFormWord])
async def save_sub_subject(visit: VisitDep, *, draft_id: str, subject: str, key: str, form: FormDep) -> Response:
    """Store a sub-subject of a draft."""
    keys = (subject, None if key == "new" else key)
    try:
        await visit.services.catalog.save_sub_subject(visit.session.account, draft_id, keys, form)
    except (FieldError, DocumentRefusedError) as error:
        return await _sub_subject(visit, (draft_id, subject, key), error=refusal(error), typed=form)
    return redirect(visit.request, f"/catalog/drafts/{draft_id}?done=saved")


@router.get("/drafts/{draft_id}/announcements")
async def show_announcements(visit: VisitDep, draft_id: str) -> Response:
    """Show the form of notices, closures and days off."""
    return await _announcements(visit, draft_id)


async def _announcements(
    visit: Visit, draft_id: str, *, error: ConsoleError | None = None, typed: Form | None = None
) -> Response:
    async def values(draft: OpenDocumentDraft) -> Part:
        content = draft.content
        rows = {name: rows_of(content[name]) for name in ("notices", "closures")}
        return {**_KINDS, "rows": rows, "holidays": show_holidays(content["holidays"])}

    return await pages.part(visit, draft_id, "catalog_announcements.html", values, error=error, typed=typed)


@router.post("/drafts/{draft_id}/announcements", dependencies=[RequireFormWord])
async def save_announcements(visit: VisitDep, draft_id: str, form: FormDep) -> Response:
    """Store notices, closures and days off of a draft."""
    try:
        await visit.services.catalog.save_announcements(visit.session.account, draft_id, form)
    except (FieldError, DocumentRefusedError) as error:
        return await _announcements(visit, draft_id, error=refusal(error), typed=form)
    return redirect(visit.request, f"/catalog/drafts/{draft_id}?done=saved")
