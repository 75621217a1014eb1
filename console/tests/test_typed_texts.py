"""What an expert has typed survives an expired session, a failed form and the choice of a prepared text."""

import re
from datetime import timedelta
from html import unescape

import pytest
from support.console_service import CODE, OTHER_CODE, PASSWORD, event

from desk.console.domain.accounts import MAX_IDLE, Role
from desk.console.domain.states import State

TYPED = "پاسخی که نیم ساعت روی آن کار کرده بودم."


def box(page, name):
    """Return the text in a box of the page."""
    return unescape(re.search(rf'<textarea id="{name}"[^>]*>(.*?)</textarea>', page, re.DOTALL)[1])


@pytest.fixture
async def expert(console, browse):
    await console.account("expert")
    await console.handle(event("request-submitted", 1))
    browser = await browse().sign_in("expert")
    await browser.open(f"/cases/{CODE}")
    await browser.send(f"/cases/{CODE}/take")
    return browser


async def sign_in_again(console, browser):
    await browser.send("/sign-in", username="expert", password=PASSWORD)
    return unescape(browser.page.text)


async def test_an_answer_survives_an_expired_session(console, expert):
    console.now += MAX_IDLE + timedelta(minutes=1)
    page = await expert.send(f"/cases/{CODE}/answer", text=TYPED, question="کدام سفر؟")
    assert expert.page.url.path == "/sign-in"
    assert "نگه داشته شد" in page
    assert f"/cases/{CODE}" in await sign_in_again(console, expert)
    await expert.open(f"/cases/{CODE}")
    page = await expert.send(f"/cases/{CODE}/take")
    assert (box(page, "text"), box(page, "question")) == (TYPED, "کدام سفر؟")
    await expert.send(f"/cases/{CODE}/answer", text=TYPED)
    assert (await console.case()).state is State.ANSWERED
    assert 'id="drafts"' not in await expert.open("/cases")


async def test_a_kept_text_is_shown_to_its_account_only_and_encrypted(console, expert, browse, tmp_path):
    console.now += MAX_IDLE + timedelta(minutes=1)
    await expert.send(f"/cases/{CODE}/answer", text=TYPED)
    await console.account("colleague")
    colleague = await browse().sign_in("colleague")
    assert TYPED not in await colleague.open(f"/cases/{CODE}")
    assert TYPED in await sign_in_again(console, expert) or TYPED in await expert.open(f"/cases/{CODE}")
    await console.database.close()
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("console.sqlite3*"))
    assert TYPED.encode() not in stored
    assert "نیم ساعت".encode("unicode_escape") not in stored


async def test_nothing_is_kept_for_a_form_that_is_not_of_the_expired_session(console, expert):
    console.now += MAX_IDLE + timedelta(minutes=1)
    await expert.send(f"/cases/{CODE}/answer", word="another", text=TYPED)
    assert expert.page.url.path == "/sign-in"
    assert 'id="drafts"' not in await sign_in_again(console, expert)


async def test_a_form_of_an_earlier_session_keeps_its_text(console, expert):
    console.now += MAX_IDLE + timedelta(minutes=1)
    await expert.open("/sign-in")
    await sign_in_again(console, expert)
    page = await expert.send(f"/cases/{CODE}/answer", word="of the earlier session", text=TYPED)
    assert expert.page.status_code == 403
    assert box(page, "text") == TYPED
    await expert.send(f"/cases/{CODE}/answer", text=TYPED)
    assert (await console.case()).state is State.ANSWERED


async def test_a_kept_text_can_be_thrown_away(console, expert):
    console.now += MAX_IDLE + timedelta(minutes=1)
    await expert.send(f"/cases/{CODE}/answer", text=TYPED)
    await sign_in_again(console, expert)
    assert TYPED in await expert.open(f"/cases/{CODE}")
    assert TYPED not in await expert.send(f"/cases/{CODE}/discard")


async def test_a_failed_referral_leaves_the_text_in_every_box(expert):
    page = await expert.send(
        f"/cases/{CODE}/refer", text=TYPED, question="کدام سفر؟", referral="", rejection="نه.", to_province="qom"
    )
    assert expert.page.status_code == 422
    assert [box(page, name) for name in ("text", "question", "rejection")] == [TYPED, "کدام سفر؟", "نه."]
    assert '<option value="qom" selected>' in page


async def test_a_question_leaves_the_answer_that_was_begun(console, expert):
    page = await expert.send(f"/cases/{CODE}/ask", text=TYPED, question="کدام سفر؟")
    assert TYPED in page
    assert (await console.case()).state is State.ASKED
    page = await expert.send(f"/cases/{CODE}/take")
    assert box(page, "text") == TYPED


async def test_a_prepared_text_is_added_to_what_was_typed(console, browse, expert):
    supervisor = await console.account("supervisor", Role.SUPERVISOR)
    await console.supervision.save_template(supervisor, None, "", "با سپاس", "با آرزوی سفری خوش")
    [template] = await console.supervision.templates("isfahan")
    page = await expert.send(f"/cases/{CODE}/template", template=template.id, text=TYPED, question="کدام سفر؟")
    assert box(page, "text") == f"{TYPED}\n\nبا آرزوی سفری خوش"
    assert box(page, "question") == "کدام سفر؟"
    assert 'data-text="با آرزوی سفری خوش"' in page


async def test_a_group_answer_keeps_its_text(console, browse, expert):
    supervisor = await console.account("supervisor", Role.SUPERVISOR)
    await console.supervision.save_template(supervisor, None, "", "با سپاس", "با آرزوی سفری خوش")
    [template] = await console.supervision.templates("isfahan")
    await console.handle(event("request-submitted", 1, code=OTHER_CODE))
    codes = [CODE, OTHER_CODE]
    await expert.open("/cases")
    await expert.send("/cases/many", code=codes)
    page = await expert.send("/cases/many/template", code=codes, template=template.id, text=TYPED)
    assert box(page, "text") == f"{TYPED}\n\nبا آرزوی سفری خوش"
    console.now += MAX_IDLE + timedelta(minutes=1)
    await expert.send("/cases/many/answer", code=codes, text=TYPED)
    await sign_in_again(console, expert)
    assert 'id="drafts"' in await expert.open("/cases")
    assert box(await expert.send("/cases/many", code=codes), "text") == TYPED
