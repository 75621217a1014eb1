"""One answer to many cases."""

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response

from desk.console.domain.accounts import UserSession
from desk.console.domain.errors import ConsoleError, FieldError
from desk.console.routes.dependencies import RequireFormWord, Services, ServicesDep, SignedIn, redirect
from desk.console.routes.pages import render_page
from desk.console.routes.typed import GROUP_ANSWER, Typed, TypedDep
from desk.console.store.lists import PAGE_SIZE
from desk.console.store.templates import with_template

router = APIRouter()
Codes = Annotated[list[str] | None, Form()]


@router.post("/cases/many", dependencies=[RequireFormWord])
async def choose_many(request: Request, services: ServicesDep, user_session: SignedIn, code: Codes = None) -> Response:
    """Show the chosen cases with a form for one answer to all."""
    return await render_group(request, services, user_session, code)


@router.post("/cases/many/template", dependencies=[RequireFormWord])
async def insert_template(
    request: Request,
    services: ServicesDep,
    user_session: SignedIn,
    *,
    typed: TypedDep,
    code: Codes = None,
    template: Annotated[str, Form()] = "",
) -> Response:
    """Append a prepared text to the answer."""
    templates = await services.experts.templates(user_session.account.province)
    appended = {"text": with_template(typed["text"], templates, template)}
    return await render_group(request, services, user_session, code, typed=appended)


@router.post("/cases/many/answer", dependencies=[RequireFormWord])
async def answer_many(
    request: Request, services: ServicesDep, user_session: SignedIn, typed: TypedDep, code: Codes = None
) -> Response:
    """Answer all chosen cases, and show which could not be answered and why."""
    try:
        done, refused = await services.experts.answer_many(user_session.account, _digits(code), typed["text"])
    except FieldError as error:
        return await render_group(request, services, user_session, code, error=error, typed=typed)
    await services.drafts.keep_rest(user_session.account.id, GROUP_ANSWER, {})
    return render_page(request, "many_done.html", user_session, answered=done, refused=refused)


async def render_group(
    request: Request,
    services: Services,
    user_session: UserSession,
    code: list[str] | None,
    *,
    error: ConsoleError | None = None,
    typed: Typed | None = None,
) -> Response:
    """Render the form of a group answer; redirect to the list if no case is chosen."""
    account = user_session.account
    chosen = await services.experts.find_cases(account.province, _digits(code))
    if not chosen:
        return redirect(request, "/cases?done=none")
    typed = await services.drafts.find(account.id, GROUP_ANSWER) if typed is None else typed
    return render_page(
        request,
        "many.html",
        user_session,
        status=error.status if error else 200,
        chosen=chosen,
        templates=await services.experts.templates(account.province),
        error=error,
        text=typed.get("text", ""),
    )


def _digits(codes: list[str] | None) -> list[str]:
    return [code for code in codes or [] if code.isascii() and code.isdigit()][:PAGE_SIZE]
