"""The supervisors' pages: accounts, templates for answers, and the audit log."""

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response

from desk.console.domain.accounts import Role, UserSession
from desk.console.domain.errors import ConsoleError, FieldError, NotFoundError
from desk.console.routes.dependencies import RequireFormWord, Services, ServicesDep, SignedIn, Supervisor, redirect
from desk.console.routes.pages import office_name, render_page
from desk.iran.offices import OFFICES, UnknownOfficeError, office

router = APIRouter()
Text = Annotated[str, Form()]
ROLES = {role.value: role for role in Role}


@router.get("/accounts")
async def show_accounts(request: Request, services: ServicesDep, user_session: Supervisor, done: str = "") -> Response:
    """List the province's accounts, with a form for a new one."""
    return await _accounts(request, services, user_session, done=done)


async def _accounts(
    request: Request,
    services: Services,
    user_session: UserSession,
    *,
    error: ConsoleError | None = None,
    typed: dict[str, str] | None = None,
    issued: tuple[str, str] | None = None,
    done: str = "",
) -> Response:
    accounts = await services.supervision.accounts(user_session.account)
    status = error.status if error else 200
    return render_page(
        request,
        "accounts.html",
        user_session,
        status=status,
        accounts=accounts,
        error=error,
        typed=typed or {},
        issued=issued,
        first_password_hours=services.first_password_hours,
        office_names={each.key: office_name(each.key) for each in OFFICES},
        done=done,
    )


@router.post("/accounts", dependencies=[RequireFormWord])
async def add_account(
    request: Request,
    services: ServicesDep,
    user_session: Supervisor,
    *,
    username: Text = "",
    name: Text = "",
    role: Text = "",
    office: Text = "",
) -> Response:
    """Add an account, and show its first password once."""
    account = user_session.account
    try:
        chosen, key = ROLES.get(role, Role.EXPERT), _office(office) or account.province
        password = await services.supervision.add_account(key, username, name, chosen, by=account)
    except FieldError as error:
        typed = {"username": username, "name": name, "role": role, "office": office}
        return await _accounts(request, services, user_session, error=error, typed=typed)
    return await _accounts(request, services, user_session, issued=(username.strip().lower(), password))


def _office(key: str) -> str:
    """Return the key of a chosen office; empty for none. Raises FieldError."""
    try:
        return office(key).key if key else ""
    except UnknownOfficeError:
        raise FieldError("office", "اداره را از فهرست انتخاب کنید.") from None


@router.post("/accounts/{account_id}/{change}", dependencies=[RequireFormWord])
async def change_account(
    request: Request, services: ServicesDep, user_session: Supervisor, account_id: str, change: str
) -> Response:
    """Activate, deactivate or reset an account, or end its sessions."""
    try:
        match change:
            case "activate" | "deactivate":
                await services.supervision.set_active(user_session.account, account_id, active=change == "activate")
                return redirect(request, f"/accounts?done={change}d")
            case "grant-counter" | "withdraw-counter":
                granted = change == "grant-counter"
                await services.supervision.set_counter(user_session.account, account_id, granted=granted)
                return redirect(request, f"/accounts?done={'counter' if granted else 'no-counter'}")
            case "end-sessions":
                await services.sessions.end_all_of(user_session.account, account_id)
                return redirect(request, "/accounts?done=signed-out")
            case "reset":
                password = await services.supervision.reset(user_session.account, account_id)
            case _:
                raise NotFoundError
    except FieldError as error:
        return await _accounts(request, services, user_session, error=error)
    accounts = await services.supervision.accounts(user_session.account)
    username = next(each.username for each in accounts if each.id == account_id)
    return await _accounts(request, services, user_session, issued=(username, password))


@router.get("/templates")
async def show_templates(request: Request, services: ServicesDep, user_session: SignedIn, edit: str = "") -> Response:
    """List the templates, with a form for supervisors."""
    return await _templates(request, services, user_session, edit=edit)


async def _templates(
    request: Request,
    services: Services,
    user_session: UserSession,
    *,
    edit: str = "",
    error: ConsoleError | None = None,
    typed: dict[str, str] | None = None,
) -> Response:
    templates = await services.supervision.templates(user_session.account.province)
    chosen = next((each for each in templates if each.id == edit), None)
    if typed is None and chosen is not None:
        typed = {"title": chosen.title, "text": chosen.text, "sub_subject": chosen.sub_subject}
    subjects = await services.subjects.list_subjects(user_session.account.province)
    return render_page(
        request,
        "templates.html",
        user_session,
        status=error.status if error else 200,
        templates=templates,
        subjects=subjects,
        titles={each.key: each.title for subject in subjects for each in subject.sub_subjects},
        chosen=chosen,
        typed=typed or {},
        error=error,
    )


@router.post("/templates", dependencies=[RequireFormWord])
async def save_template(
    request: Request,
    services: ServicesDep,
    user_session: Supervisor,
    *,
    template: Text = "",
    sub_subject: Text = "",
    title: Text = "",
    text: Text = "",
) -> Response:
    """Add or change a template."""
    try:
        await services.supervision.save_template(user_session.account, template or None, sub_subject, title, text)
    except FieldError as error:
        typed = {"sub_subject": sub_subject, "title": title, "text": text}
        return await _templates(request, services, user_session, edit=template, error=error, typed=typed)
    return redirect(request, "/templates")


@router.post("/templates/{template_id}/remove", dependencies=[RequireFormWord])
async def remove_template(
    request: Request, services: ServicesDep, user_session: Supervisor, template_id: str
) -> Response:
    """Remove a template."""
    await services.supervision.remove_template(user_session.account, template_id)
    return redirect(request, "/templates")


@router.get("/deeds")
async def show_deeds(request: Request, services: ServicesDep, user_session: Supervisor, code: str = "") -> Response:
    """Show the audit log."""
    entries = await services.supervision.audit_entries(user_session.account.province, code or None)
    return render_page(request, "audit.html", user_session, entries=entries, code=code)
