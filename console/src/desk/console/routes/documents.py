"""The pages of a document that headquarters changes in versions: its versions, its drafts, and their approval."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from desk.console.domain.accounts import UserSession
from desk.console.domain.catalog_forms import Form, Part
from desk.console.domain.errors import ConsoleError, FieldError
from desk.console.routes.dependencies import HeadquartersOnly, RequireFormWord, Services, ServicesDep, redirect
from desk.console.routes.pages import render_page
from desk.console.service.documents import DocumentEditing
from desk.expert import DocumentRefusedError, OpenDocumentDraft


async def _form(request: Request) -> Form:
    return {key: value for key, value in (await request.form()).items() if isinstance(value, str)}


FormDep = Annotated[Form, Depends(_form)]


@dataclass(frozen=True, slots=True)
class Visit:
    """A request of a person who is signed in, and what it is served with."""

    request: Request
    services: Services
    session: UserSession


async def _visit(request: Request, services: ServicesDep, user_session: HeadquartersOnly) -> Visit:
    return Visit(request, services, user_session)


VisitDep = Annotated[Visit, Depends(_visit)]
DraftValues = Callable[[Visit, OpenDocumentDraft], Awaitable[dict[str, Any]]]
PartOf = Callable[[OpenDocumentDraft], Awaitable[Part]]


@dataclass(frozen=True, slots=True)
class DocumentPages:
    """The pages of one document: their path such as ``/catalog``, and the name of its templates."""

    path: str
    name: str
    editing: Callable[[Services], DocumentEditing]
    draft_values: DraftValues
    """Returns what the page of a draft shows besides the draft."""

    async def versions(self, visit: Visit, *, error: ConsoleError | None = None, done: str = "") -> Response:
        """Show the versions and the drafts, with a form for a new draft."""
        try:
            listed, drafts = await self.editing(visit.services).overview(visit.session.account)
        except DocumentRefusedError as refused:
            listed, drafts, error = None, [], error or refusal(refused)
        values = {"listed": listed, "drafts": drafts, "now": visit.services.clock(), "error": error, "done": done}
        return self._render(visit, f"{self.name}.html", values, error)

    async def draft(
        self,
        visit: Visit,
        draft_id: str,
        *,
        error: ConsoleError | None = None,
        done: str = "",
        typed: Form | None = None,
    ) -> Response:
        """Show a draft: what differs, its parts, and its approval."""

        async def values(draft: OpenDocumentDraft) -> Part:
            return {**await self.draft_values(visit, draft), "done": done}

        return await self.part(visit, draft_id, f"{self.name}_draft.html", values, error=error, typed=typed or {})

    async def part(
        self,
        visit: Visit,
        draft_id: str,
        template: str,
        values: PartOf,
        *,
        error: ConsoleError | None = None,
        typed: Form | None = None,
    ) -> Response:
        """Show a page about a draft, after an error with what was typed. Without the draft show the list."""
        try:
            draft = await self.editing(visit.services).open(visit.session.account, draft_id)
            found = await values(draft)
        except DocumentRefusedError as refused:
            return await self.versions(visit, error=refusal(refused))
        return self._render(visit, template, {**found, "draft": draft, "error": error, "typed": typed}, error)

    async def act(self, visit: Visit, acting: Awaitable[object], *, draft_id: str, then: str) -> Response:
        """Act on a draft and go on to another page, or show the draft with the refusal."""
        try:
            await acting
        except (FieldError, DocumentRefusedError) as error:
            typed = await _form(visit.request)
            return await self.draft(visit, draft_id, error=refusal(error), typed=typed)
        return redirect(visit.request, then)

    def _render(self, visit: Visit, template: str, values: Part, error: ConsoleError | None) -> Response:
        status, shown = error.status if error else 200, {**values, "path": self.path}
        return render_page(visit.request, template, visit.session, status=status, **shown)


def refusal(error: FieldError | DocumentRefusedError) -> ConsoleError:
    """Return the desk's refusal as an error of the page, with its sentences about single parts."""
    if isinstance(error, FieldError):
        return error
    return ConsoleError(" ".join((error.title or error.code, *error.faults.values())))


def document_routes(pages: DocumentPages) -> APIRouter:
    """Return the routes that every document has."""
    router, path, editing = APIRouter(prefix=pages.path), pages.path, pages.editing

    @router.get("")
    async def show_versions(visit: VisitDep, done: str = "") -> Response:
        return await pages.versions(visit, done=done)

    @router.post("/drafts", dependencies=[RequireFormWord])
    async def begin(visit: VisitDep, form: FormDep) -> Response:
        wanted = form.get("note", ""), form.get("from_version", "")
        try:
            made = await editing(visit.services).begin(visit.session.account, *wanted)
        except (FieldError, DocumentRefusedError) as error:
            return await pages.versions(visit, error=refusal(error))
        return redirect(visit.request, f"{path}/drafts/{made.id}")

    @router.post("/versions/{number}/cancel", dependencies=[RequireFormWord])
    async def cancel(visit: VisitDep, number: int) -> Response:
        try:
            await editing(visit.services).cancel(visit.session.account, number)
        except DocumentRefusedError as error:
            return await pages.versions(visit, error=refusal(error))
        return redirect(visit.request, f"{path}?done=cancelled")

    @router.get("/drafts/{draft_id}")
    async def show_draft(visit: VisitDep, draft_id: str, done: str = "") -> Response:
        return await pages.draft(visit, draft_id, done=done)

    @router.post("/drafts/{draft_id}/propose", dependencies=[RequireFormWord])
    async def propose(visit: VisitDep, draft_id: str, form: FormDep) -> Response:
        acting = editing(visit.services).propose(visit.session.account, draft_id, form)
        return await pages.act(visit, acting, draft_id=draft_id, then=f"{path}/drafts/{draft_id}?done=proposed")

    @router.post("/drafts/{draft_id}/approve", dependencies=[RequireFormWord])
    async def approve(visit: VisitDep, draft_id: str, form: FormDep) -> Response:
        acting = editing(visit.services).approve(visit.session.account, draft_id, form)
        return await pages.act(visit, acting, draft_id=draft_id, then=f"{path}?done=approved")

    @router.post("/drafts/{draft_id}/discard", dependencies=[RequireFormWord])
    async def discard(visit: VisitDep, draft_id: str) -> Response:
        acting = editing(visit.services).discard(visit.session.account, draft_id)
        return await pages.act(visit, acting, draft_id=draft_id, then=f"{path}?done=discarded")

    return router
