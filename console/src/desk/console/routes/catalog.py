"""The pages on which headquarters edits the catalogue: versions, drafts, and the parts of a draft."""

from collections.abc import Awaitable
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from desk.console.domain.accounts import UserSession
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
from desk.console.routes.dependencies import HeadquartersOnly, RequireFormWord, Services, ServicesDep, redirect
from desk.console.routes.pages import render_page
from desk.expert import CatalogRefusedError
from desk.iran.offices import OFFICES

router = APIRouter()
_KINDS = {"FIELD_KINDS": FIELD_KINDS, "PAGES": PAGES, "LEVELS": LEVELS, "offices": OFFICES}


async def _form(request: Request) -> Form:
    return {key: value for key, value in (await request.form()).items() if isinstance(value, str)}


FormDep = Annotated[Form, Depends(_form)]


@router.get("/catalog")
async def show_versions(
    request: Request, services: ServicesDep, user_session: HeadquartersOnly, done: str = ""
) -> Response:
    """List the versions and the drafts, with a form for a new draft."""
    return await _versions(request, services, user_session, done=done)


async def _versions(
    request: Request,
    services: Services,
    user_session: UserSession,
    *,
    error: ConsoleError | None = None,
    done: str = "",
) -> Response:
    try:
        listed, drafts = await services.catalog.overview(user_session.account)
    except CatalogRefusedError as refused:
        listed, drafts, error = None, [], error or _refusal(refused)
    status = error.status if error else 200
    values = {"listed": listed, "drafts": drafts, "now": services.clock(), "error": error, "done": done}
    return render_page(request, "catalog.html", user_session, status=status, **values)


@router.post("/catalog/drafts", dependencies=[RequireFormWord])
async def begin(request: Request, services: ServicesDep, user_session: HeadquartersOnly, form: FormDep) -> Response:
    """Begin a draft of the next version."""
    try:
        made = await services.catalog.begin(user_session.account, form.get("note", ""), form.get("from_version", ""))
    except (FieldError, CatalogRefusedError) as error:
        return await _versions(request, services, user_session, error=_refusal(error))
    return redirect(request, f"/catalog/drafts/{made.id}")


@router.post("/catalog/versions/{number}/cancel", dependencies=[RequireFormWord])
async def cancel(request: Request, services: ServicesDep, user_session: HeadquartersOnly, number: int) -> Response:
    """Cancel a version before it is in force."""
    try:
        await services.catalog.cancel(user_session.account, number)
    except CatalogRefusedError as error:
        return await _versions(request, services, user_session, error=_refusal(error))
    return redirect(request, "/catalog?done=cancelled")


@router.get("/catalog/drafts/{draft_id}")
async def show_draft(
    request: Request, services: ServicesDep, user_session: HeadquartersOnly, draft_id: str, done: str = ""
) -> Response:
    """Show a draft: what differs, its parts, and its approval."""
    return await _draft(request, services, user_session, draft_id, done=done)


async def _draft(
    request: Request,
    services: Services,
    user_session: UserSession,
    draft_id: str,
    *,
    error: ConsoleError | None = None,
    done: str = "",
    typed: Form | None = None,
) -> Response:
    try:
        draft = await services.catalog.open(user_session.account, draft_id)
    except CatalogRefusedError as refused:
        return await _versions(request, services, user_session, error=_refusal(refused))
    changes = readable(draft.changes, draft.content)
    values = {"draft": draft, "changes": changes, "error": error, "done": done, "typed": typed or {}}
    return render_page(request, "catalog_draft.html", user_session, status=error.status if error else 200, **values)


@router.post("/catalog/drafts/{draft_id}/propose", dependencies=[RequireFormWord])
async def propose(
    request: Request, services: ServicesDep, user_session: HeadquartersOnly, draft_id: str, form: FormDep
) -> Response:
    """Ask for the approval of a draft."""
    acting = services.catalog.propose(user_session.account, draft_id, form)
    return await _act(
        request, services, user_session, acting, here=draft_id, then=f"/catalog/drafts/{draft_id}?done=proposed"
    )


@router.post("/catalog/drafts/{draft_id}/approve", dependencies=[RequireFormWord])
async def approve(
    request: Request, services: ServicesDep, user_session: HeadquartersOnly, draft_id: str, form: FormDep
) -> Response:
    """Approve a draft of other people."""
    acting = services.catalog.approve(user_session.account, draft_id, form)
    return await _act(request, services, user_session, acting, here=draft_id, then="/catalog?done=approved")


@router.post("/catalog/drafts/{draft_id}/discard", dependencies=[RequireFormWord])
async def discard(request: Request, services: ServicesDep, user_session: HeadquartersOnly, draft_id: str) -> Response:
    """Delete a draft."""
    acting = services.catalog.discard(user_session.account, draft_id)
    return await _act(request, services, user_session, acting, here=draft_id, then="/catalog?done=discarded")


async def _act(
    request: Request, services: Services, user_session: UserSession, acting: Awaitable[object], *, here: str, then: str
) -> Response:
    try:
        await acting
    except (FieldError, CatalogRefusedError) as error:
        typed = await _form(request)
        return await _draft(request, services, user_session, here, error=_refusal(error), typed=typed)
    return redirect(request, then)


@router.get("/catalog/drafts/{draft_id}/subjects/{subject}/{key}")
async def show_sub_subject(
    request: Request, services: ServicesDep, user_session: HeadquartersOnly, *, draft_id: str, subject: str, key: str
) -> Response:
    """Show the form of a sub-subject; the key ``new`` is for another one."""
    place = (draft_id, subject, key)
    return await _sub_subject(request, services, user_session, place)


async def _sub_subject(
    request: Request,
    services: Services,
    user_session: UserSession,
    place: tuple[str, str, str],
    *,
    error: ConsoleError | None = None,
    typed: Form | None = None,
) -> Response:
    draft_id, subject_key, key = place
    try:
        draft = await services.catalog.open(user_session.account, draft_id)
    except CatalogRefusedError as refused:
        return await _versions(request, services, user_session, error=_refusal(refused))
    subject = next((each for each in draft.content["subjects"] if each["key"] == subject_key), None)
    part: Part | None = {} if key == "new" else find(draft.content, subject_key, key)
    if subject is None or part is None:
        raise NotFoundError
    values = {
        "draft": draft,
        "subject": subject,
        "key": key,
        "part": {
            **part,
            "active_from": show_time(part.get("active_from")),
            "active_until": show_time(part.get("active_until")),
        },
        "rows": {name: rows_of(part.get(name, [])) for name in ("fields", "documents", "closures")},
    }
    return _form_page(request, user_session, "catalog_sub_subject.html", values, error=error, typed=typed)


@router.post("/catalog/drafts/{draft_id}/subjects/{subject}/{key}", dependencies=[RequireFormWord])
async def save_sub_subject(
    request: Request,
    services: ServicesDep,
    user_session: HeadquartersOnly,
    *,
    draft_id: str,
    subject: str,
    key: str,
    form: FormDep,
) -> Response:
    """Store a sub-subject of a draft."""
    keys = (subject, None if key == "new" else key)
    try:
        await services.catalog.save_sub_subject(user_session.account, draft_id, keys, form)
    except (FieldError, CatalogRefusedError) as error:
        place = (draft_id, subject, key)
        return await _sub_subject(request, services, user_session, place, error=_refusal(error), typed=form)
    return redirect(request, f"/catalog/drafts/{draft_id}?done=saved")


@router.get("/catalog/drafts/{draft_id}/announcements")
async def show_announcements(
    request: Request, services: ServicesDep, user_session: HeadquartersOnly, draft_id: str
) -> Response:
    """Show the form of notices, closures and days off."""
    return await _announcements(request, services, user_session, draft_id)


async def _announcements(
    request: Request,
    services: Services,
    user_session: UserSession,
    draft_id: str,
    *,
    error: ConsoleError | None = None,
    typed: Form | None = None,
) -> Response:
    try:
        draft = await services.catalog.open(user_session.account, draft_id)
    except CatalogRefusedError as refused:
        return await _versions(request, services, user_session, error=_refusal(refused))
    content = draft.content
    values = {
        "draft": draft,
        "rows": {name: rows_of(content[name]) for name in ("notices", "closures")},
        "holidays": show_holidays(content["holidays"]),
    }
    return _form_page(request, user_session, "catalog_announcements.html", values, error=error, typed=typed)


@router.post("/catalog/drafts/{draft_id}/announcements", dependencies=[RequireFormWord])
async def save_announcements(
    request: Request, services: ServicesDep, user_session: HeadquartersOnly, draft_id: str, form: FormDep
) -> Response:
    """Store notices, closures and days off of a draft."""
    try:
        await services.catalog.save_announcements(user_session.account, draft_id, form)
    except (FieldError, CatalogRefusedError) as error:
        return await _announcements(request, services, user_session, draft_id, error=_refusal(error), typed=form)
    return redirect(request, f"/catalog/drafts/{draft_id}?done=saved")


def _form_page(
    request: Request,
    user_session: UserSession,
    template: str,
    values: Part,
    *,
    error: ConsoleError | None,
    typed: Form | None,
) -> Response:
    """Render a form; after an error it has what was typed."""
    status = error.status if error else 200
    shown = {**values, **_KINDS, "error": error, "typed": typed}
    return render_page(request, template, user_session, status=status, **shown)


def _refusal(error: FieldError | CatalogRefusedError) -> ConsoleError:
    """Return the desk's refusal as an error of the page, with its sentences about single parts."""
    if isinstance(error, FieldError):
        return error
    return ConsoleError(" ".join((error.title or error.code, *error.faults.values())))
