"""A supervisor cannot reach accounts, templates, audit entries or cases of another province."""

import pytest
from support.console_service import CODE, PASSWORD, event

from desk.console.domain.accounts import Role
from desk.console.domain.callers import Caller
from desk.console.domain.errors import CaseNotHereError, NotFoundError, SignInError
from desk.console.store.accounts import AccountStore

CALLER = Caller("192.0.2.1")


@pytest.fixture
async def supervisor(console):
    """A supervisor of Isfahan."""
    return await console.account("supervisor", Role.SUPERVISOR)


@pytest.fixture
async def stranger(console):
    """An expert of Qom."""
    return await console.account("stranger", province="qom")


async def test_a_supervisor_cannot_reset_an_account_of_another_province(console, supervisor, stranger):
    token = await console.sign_in.check_password("stranger", PASSWORD, CALLER)
    with pytest.raises(NotFoundError):
        await console.supervision.reset(supervisor, stranger.id)
    assert await console.sign_in.find_session(token) is not None
    assert await console.sign_in.check_password("stranger", PASSWORD, CALLER)


async def test_a_supervisor_cannot_deactivate_an_account_of_another_province(console, supervisor, stranger):
    with pytest.raises(NotFoundError):
        await console.supervision.set_active(supervisor, stranger.id, active=False)
    assert await console.sign_in.check_password("stranger", PASSWORD, CALLER)


async def test_the_accounts_page_refuses_an_account_of_another_province(console, supervisor, stranger, browse):
    browser = await browse().sign_in("supervisor")
    await browser.open("/accounts")
    statuses = []
    for change in ("reset", "deactivate", "end-sessions"):
        await browser.open("/accounts")
        await browser.send(f"/accounts/{stranger.id}/{change}")
        statuses.append(browser.page.status_code)
    assert statuses == [404, 404, 404]
    assert "stranger" not in await browser.open("/accounts")
    assert await console.sign_in.check_password("stranger", PASSWORD, CALLER)


async def test_a_supervisor_cannot_change_or_remove_a_template_of_another_province(console, supervisor):
    other = await console.account("other", Role.SUPERVISOR, province="qom")
    await console.supervision.save_template(other, None, "", "عنوان قم", "متن قم")
    [template] = await console.supervision.templates("qom")
    with pytest.raises(NotFoundError):
        await console.supervision.save_template(supervisor, template.id, "", "عنوان دیگر", "متن دیگر")
    await console.supervision.remove_template(supervisor, template.id)
    assert await console.supervision.templates("qom") == [template]
    assert await console.supervision.templates("isfahan") == []
    await console.supervision.remove_template(other, template.id)
    assert await console.supervision.templates("qom") == []


async def test_a_supervisor_sees_no_audit_entry_of_another_province(console, supervisor, stranger):
    await console.sign_in.check_password("stranger", PASSWORD, CALLER)
    entries = await console.supervision.audit_entries("isfahan", None)
    assert "sign_in" not in {entry.kind for entry in entries}
    assert "sign_in" in {entry.kind for entry in await console.supervision.audit_entries("qom", None)}


async def test_an_expert_cannot_claim_a_case_of_another_province(console, stranger):
    await console.handle(event("request-submitted", 1))
    with pytest.raises(CaseNotHereError):
        await console.experts.claim(stranger, CODE)


async def test_a_deactivated_account_loses_its_sessions(console, supervisor):
    expert = await console.account("expert")
    tokens = [await console.sign_in.check_password("expert", PASSWORD, CALLER) for _ in range(2)]
    await console.supervision.set_active(supervisor, expert.id, active=False)
    assert [await console.sign_in.find_session(token) for token in tokens] == [None, None]
    with pytest.raises(SignInError):
        await console.sign_in.check_password("expert", PASSWORD, CALLER)


async def test_sessions_from_before_a_deactivation_stay_ended_after_a_new_activation(console, supervisor):
    expert = await console.account("expert")
    token = await console.sign_in.check_password("expert", PASSWORD, CALLER)
    await console.supervision.set_active(supervisor, expert.id, active=False)
    await console.supervision.set_active(supervisor, expert.id, active=True)
    assert await console.sign_in.find_session(token) is None
    assert await console.sign_in.check_password("expert", PASSWORD, CALLER)


async def test_a_session_of_an_inactive_account_is_not_found(console, supervisor):
    """Also if it was not ended with the deactivation, as by a change in the database."""
    expert = await console.account("expert")
    token = await console.sign_in.check_password("expert", PASSWORD, CALLER)
    async with console.database.transaction() as session:
        await AccountStore(session, console.encryption).change(expert.id, active=False)
    assert await console.sign_in.find_session(token) is None
