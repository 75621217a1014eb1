"""The supervisors' pages: accounts, templates of answers, and who did what."""

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response

from desk.console.domain.accounts import Role, Visit
from desk.console.domain.errors import ConsoleError, FieldError, NotFoundError
from desk.console.pages import page
from desk.console.routes.visiting import Formed, Supervisor, Visiting, go
from desk.console.service.subjects import Subjects
from desk.console.service.supervising import Supervising

router = APIRouter()
Text = Annotated[str, Form()]
ROLES = {role.value: role for role in Role}


def _supervising(request: Request) -> Supervising:
    supervising: Supervising = request.app.state.supervising
    return supervising


@router.get("/accounts")
async def show_accounts(request: Request, visit: Supervisor, done: str = "") -> Response:
    """List the province's accounts with a form for a new one."""
    return await _accounts(request, visit, done=done)


async def _accounts(
    request: Request,
    visit: Visit,
    *,
    error: ConsoleError | None = None,
    typed: dict[str, str] | None = None,
    given: tuple[str, str] | None = None,
    done: str = "",
) -> Response:
    accounts = await _supervising(request).accounts(visit.account.province)
    status = error.status if error else 200
    return page(
        request,
        "accounts.html",
        visit,
        status=status,
        accounts=accounts,
        error=error,
        typed=typed or {},
        given=given,
        done=done,
    )


@router.post("/accounts", dependencies=[Formed])
async def add_account(
    request: Request, visit: Supervisor, username: Text = "", name: Text = "", role: Text = ""
) -> Response:
    """Add an account, and show its first password once."""
    account = visit.account
    try:
        wanted = ROLES.get(role, Role.EXPERT)
        password = await _supervising(request).add_account(account.province, username, name, wanted, by=account)
    except FieldError as error:
        typed = {"username": username, "name": name, "role": role}
        return await _accounts(request, visit, error=error, typed=typed)
    return await _accounts(request, visit, given=(username.strip().lower(), password))


@router.post("/accounts/{account_id}/{change}", dependencies=[Formed])
async def change_account(request: Request, visit: Supervisor, account_id: str, change: str) -> Response:
    """Let somebody in or no more, or give a new first password."""
    supervising = _supervising(request)
    try:
        match change:
            case "activate" | "deactivate":
                await supervising.set_active(visit.account, account_id, active=change == "activate")
                return go(request, f"/accounts?done={change}d")
            case "reset":
                password = await supervising.reset(visit.account, account_id)
            case _:
                raise NotFoundError
    except FieldError as error:
        return await _accounts(request, visit, error=error)
    accounts = await supervising.accounts(visit.account.province)
    username = next(each.username for each in accounts if each.id == account_id)
    return await _accounts(request, visit, given=(username, password))


@router.get("/templates")
async def show_templates(request: Request, visit: Visiting, edit: str = "") -> Response:
    """List the templates; supervisors may write them."""
    return await _templates(request, visit, edit=edit)


async def _templates(
    request: Request,
    visit: Visit,
    *,
    edit: str = "",
    error: ConsoleError | None = None,
    typed: dict[str, str] | None = None,
) -> Response:
    templates = await _supervising(request).templates(visit.account.province)
    chosen = next((each for each in templates if each.id == edit), None)
    if typed is None and chosen is not None:
        typed = {"title": chosen.title, "text": chosen.text, "sub_subject": chosen.sub_subject}
    subjects: Subjects = request.app.state.subjects
    known = await subjects.of(visit.account.province)
    return page(
        request,
        "templates.html",
        visit,
        status=error.status if error else 200,
        templates=templates,
        subjects=known,
        titles={each.key: each.title for subject in known for each in subject.sub_subjects},
        chosen=chosen,
        typed=typed or {},
        error=error,
    )


@router.post("/templates", dependencies=[Formed])
async def save_template(
    request: Request,
    visit: Supervisor,
    *,
    template: Text = "",
    sub_subject: Text = "",
    title: Text = "",
    text: Text = "",
) -> Response:
    """Write a template, new or changed."""
    try:
        await _supervising(request).save_template(visit.account, template or None, sub_subject, title, text)
    except FieldError as error:
        typed = {"sub_subject": sub_subject, "title": title, "text": text}
        return await _templates(request, visit, edit=template, error=error, typed=typed)
    return go(request, "/templates")


@router.post("/templates/{template_id}/remove", dependencies=[Formed])
async def remove_template(request: Request, visit: Supervisor, template_id: str) -> Response:
    """Remove a template."""
    await _supervising(request).remove_template(visit.account, template_id)
    return go(request, "/templates")


@router.get("/deeds")
async def show_deeds(request: Request, visit: Supervisor, code: str = "") -> Response:
    """Show who did what."""
    deeds = await _supervising(request).deeds(visit.account.province, code or None)
    return page(request, "deeds.html", visit, deeds=deeds, code=code)
