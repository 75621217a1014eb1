"""The pages on which headquarters edits the texts of SMS and email: versions, drafts, and the notices of a draft."""

from fastapi import Response

from desk.console.domain.catalog_forms import Form, Part
from desk.console.domain.email_frames import EmailFrame, email_frame
from desk.console.domain.errors import ConsoleError, FieldError, NotFoundError
from desk.console.domain.text_forms import CHANNELS, LANGUAGES, readable_texts, slots, title_of
from desk.console.middleware import content_policy
from desk.console.routes.dependencies import RequireFormWord, redirect
from desk.console.routes.documents import DocumentPages, FormDep, Visit, VisitDep, document_routes, refusal
from desk.expert import DocumentRefusedError, OpenDocumentDraft

_NAMES = {"LANGUAGES": LANGUAGES, "CHANNELS": CHANNELS}


async def _notices(visit: Visit, draft: OpenDocumentDraft) -> Part:
    previews = await visit.services.texts.previews(visit.session.account, draft.id)
    notices = [
        {"key": key, "title": title_of(key), "previews": [each for each in previews if each.notice == key]}
        for key in draft.content["fa"]
    ]
    return {**_NAMES, "changes": readable_texts(draft.changes), "texts": notices}


pages = DocumentPages("/texts", "texts", lambda services: services.texts, _notices)
router = document_routes(pages)


@router.get("/drafts/{draft_id}/notices/{notice}")
async def show_notice(visit: VisitDep, draft_id: str, notice: str, done: str = "") -> Response:
    """Show the form of a notice in both languages, and what its messages look like."""
    return await _notice(visit, draft_id, notice, done=done)


async def _notice(
    visit: Visit,
    draft_id: str,
    notice: str,
    *,
    error: ConsoleError | None = None,
    typed: Form | None = None,
    done: str = "",
) -> Response:
    frames: dict[str, EmailFrame] = {}

    async def values(draft: OpenDocumentDraft) -> Part:
        if notice not in draft.content["fa"]:
            raise NotFoundError
        previews = await visit.services.texts.previews(visit.session.account, draft.id)
        shown = [each for each in previews if each.notice == notice]
        texts = [
            {"preview": each, "slots": slots(draft.content, each.language, notice, each.channel)} for each in shown
        ]
        emails = {text.html for each in shown for text in (each.typical, each.longest) if text.html is not None}
        frames.update({html: email_frame(html) for html in emails})
        return {**_NAMES, "notice": notice, "title": title_of(notice), "texts": texts, "frames": frames, "done": done}

    response = await pages.part(visit, draft_id, "texts_notice.html", values, error=error, typed=typed)
    sources = sorted({each.style_source for each in frames.values()})
    response.headers["Content-Security-Policy"] = content_policy(*sources)
    return response


@router.post("/drafts/{draft_id}/notices/{notice}", dependencies=[RequireFormWord])
async def save_notice(visit: VisitDep, draft_id: str, notice: str, form: FormDep) -> Response:
    """Store the texts of a notice, and show what its messages look like."""
    try:
        await visit.services.texts.save_notice(visit.session.account, draft_id, notice, form)
    except (FieldError, DocumentRefusedError) as error:
        return await _notice(visit, draft_id, notice, error=refusal(error), typed=form)
    return redirect(visit.request, f"/texts/drafts/{draft_id}/notices/{notice}?done=saved")
