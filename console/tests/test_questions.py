"""Questions with a deadline: the expert's number of days, the end without an answer, and a reply after it."""

from dataclasses import replace
from datetime import timedelta

import pytest
from support.console_service import CODE, SUBMITTED, event

from desk.console.domain.cases import day_of
from desk.console.domain.states import State
from desk.expert import Unanswered


def unanswered(seq, until):
    """Return the event that the applicant has not answered, as the library delivers it."""
    ended = event("request-unanswered", seq, reply_until=until.isoformat())
    return replace(ended, unanswered=Unanswered.model_validate(ended.data))


@pytest.fixture
async def browser(console, browse):
    await console.account("expert")
    await console.handle(event("request-submitted", 1))
    browser = await browse().sign_in("expert")
    await browser.open(f"/cases/{CODE}")
    await browser.send(f"/cases/{CODE}/take")
    return browser


async def test_the_applicant_has_as_many_days_as_the_expert_names(console, browser):
    page = await browser.send(f"/cases/{CODE}/ask", question="شمارهٔ گذرنامه؟", question_days="۳")
    assert 'id="asked_until"' in page
    await console.send_all()
    assert console.client.sent[-1].data == {"question": "شمارهٔ گذرنامه؟", "answer_within_days": 3}
    case = await console.case()
    assert console.calendar.count(day_of(case.asked_at), day_of(case.asked_until)) == 3


async def test_the_form_proposes_ten_days(browser):
    assert 'name="question_days"' in await browser.open(f"/cases/{CODE}")
    assert 'value="10"' in await browser.open(f"/cases/{CODE}")


@pytest.mark.parametrize("days", ["0", "61", "دو", "-1", "1.5"])
async def test_a_wrong_number_of_days_is_shown_at_its_field(console, browser, days):
    page = await browser.send(f"/cases/{CODE}/ask", question="شمارهٔ گذرنامه؟", question_days=days)
    assert browser.page.status_code == 422
    assert 'id="question_days_error"' in page
    assert "شمارهٔ گذرنامه؟" in page
    assert (await console.case()).state is State.IN_PROGRESS


async def test_a_case_without_an_answer_is_closed_and_a_reply_opens_it_again(console, browser):
    await browser.send(f"/cases/{CODE}/ask", question="شمارهٔ گذرنامه؟", question_days="3")
    until = SUBMITTED + timedelta(days=25)
    await console.handle(unanswered(7, until))
    case = await console.case()
    assert (case.state, case.open, case.asked_until) == (State.UNANSWERED, False, until)
    page = await browser.open(f"/cases/{CODE}")
    assert "متقاضی پاسخ نداد و درخواست بسته شد" in page
    assert "متقاضی می‌تواند پاسخ دهد تا" in page

    due = case.due_at
    replied = event("request-replied", 8, text="A12345678", at=(SUBMITTED + timedelta(days=20)).isoformat())
    await console.handle(replied)
    case = await console.case()
    assert (case.state, case.open) == (State.IN_PROGRESS, True)
    assert case.due_at > due


async def test_the_end_of_a_question_after_a_reply_changes_nothing(console, browser):
    await browser.send(f"/cases/{CODE}/ask", question="شمارهٔ گذرنامه؟")
    await console.handle(event("request-replied", 8, text="A12345678"))
    await console.handle(unanswered(7, SUBMITTED + timedelta(days=25)))
    assert (await console.case()).state is State.IN_PROGRESS
