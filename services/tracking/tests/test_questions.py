"""Questions with a deadline: a reminder, the end without an answer, and a reply that opens the case again."""

from datetime import UTC, datetime, timedelta

import pytest

from desk.chassis.bus import ContractError
from desk.tracking.domain import day_of

ASKED = datetime(2026, 12, 13, 11, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
REPLY = {"text": "این است"}


@pytest.fixture
def at(tracking):
    """Set the clock and act on the cases whose deadline has passed; return their number."""

    async def at(now):
        tracking.set_clock(now)
        return await tracking.expire_cases()

    return at


@pytest.fixture
def ask(tracking):
    """Submit a request and ask its applicant a question with a term of so many working days."""
    tracking.set_clock(ASKED)

    async def ask(**term):
        code = await tracking.submit()
        question = {"question": "شمارهٔ گذرنامه چیست؟"}
        await tracking.report("case-info-requested", code, data=question | term)
        return code

    return ask


async def notices(tracking, state):
    return [
        each["data"] for each in await tracking.published("request-status-changed") if each["data"]["state"] == state
    ]


async def unanswered(tracking, at, code):
    """Let the term of a question pass."""
    await at((await tracking.case(code)).alarm_at)
    await at((await tracking.case(code)).question_until + 2 * SECOND)
    assert await tracking.state(code) == "unanswered"


@pytest.mark.parametrize(("term", "days"), [({"answer_within_days": 4}, 4), ({}, 10)])
async def test_a_question_has_the_term_of_its_office_or_the_usual_one(tracking, ask, term, days):
    code = await ask(**term)
    case = await tracking.case(code)
    assert tracking.context.terms.calendar.count(day_of(ASKED), day_of(case.question_until)) == days
    shown = (await tracking.look_up(code)).json()
    assert datetime.fromisoformat(shown["reply_until"]) == case.question_until
    [notice] = await notices(tracking, "info_requested")
    assert (datetime.fromisoformat(notice["reply_until"]), notice["reminder"]) == (case.question_until, False)


@pytest.mark.parametrize(("days", "left"), [(10, 2), (3, 2), (2, 1)])
async def test_the_applicant_is_reminded_once_before_the_end(tracking, ask, at, days, left):
    code = await ask(answer_within_days=days)
    case = await tracking.case(code)
    assert tracking.context.terms.calendar.count(day_of(case.alarm_at), day_of(case.question_until)) == left
    assert await at(case.alarm_at + SECOND) == 1
    assert await at(case.question_until) == 0
    first, reminder = await notices(tracking, "info_requested")
    assert (first["reminder"], reminder["reminder"]) == (False, True)
    assert reminder["note"] == "شمارهٔ گذرنامه چیست؟"
    assert await tracking.states(code) == ["registered", "info_requested"]


async def test_a_reminder_has_the_question_also_after_the_mobile_was_changed(tracking, ask, at):
    code = await ask(answer_within_days=10)
    mobile = "+989127654321"
    body = {"mobile": mobile, "mobile_code": tracking.peers.send_code("contact", mobile)}
    assert (await tracking.act("contact", code, body)).status_code == 200
    await at((await tracking.case(code)).alarm_at + SECOND)
    _, reminder = await notices(tracking, "info_requested")
    assert (reminder["note"], reminder["contact"]["mobile"]) == ("شمارهٔ گذرنامه چیست؟", mobile)


async def test_a_term_of_one_day_has_no_reminder(tracking, ask, at):
    code = await ask(answer_within_days=1)
    await at((await tracking.case(code)).question_until + 2 * SECOND)
    assert await tracking.state(code) == "unanswered"
    assert len(await notices(tracking, "info_requested")) == 1


async def test_an_unanswered_question_ends_the_case_for_applicant_and_office(tracking, ask, at):
    code = await ask(answer_within_days=3)
    await unanswered(tracking, at, code)
    case = await tracking.case(code)
    until = case.objection_until(15)
    [event] = await tracking.published("request-unanswered")
    assert (event["routing_key"], event["seq"]) == ("request-unanswered.isfahan", case.seq)
    assert datetime.fromisoformat(event["data"]["reply_until"]) == until
    [notice] = await notices(tracking, "unanswered")
    assert datetime.fromisoformat(notice["reply_until"]) == until
    shown = (await tracking.look_up(code)).json()
    assert (shown["state"], shown["actions"]) == ("unanswered", ["reply"])
    assert datetime.fromisoformat(shown["reply_until"]) == until


async def test_a_reply_opens_the_case_again_and_the_office_has_its_whole_period(tracking, ask, at):
    code = await ask(answer_within_days=3)
    before = (await tracking.case(code)).due_at
    await unanswered(tracking, at, code)
    tracking.set_clock(ASKED + timedelta(days=12))
    response = await tracking.act("replies", code, REPLY)
    assert (response.status_code, response.json()["state"]) == (200, "in_progress")
    case = await tracking.case(code)
    calendar = tracking.context.terms.calendar
    ended = (await tracking.history(code))[2].at
    paused = calendar.count(day_of(ASKED), day_of(ended)) + calendar.count(day_of(ended), day_of(case.since))
    assert calendar.count(day_of(before), day_of(case.due_at)) == paused
    assert case.alarm_at == case.due_at
    [replied] = await tracking.published("request-replied")
    assert replied["data"]["text"] == "این است"
    await tracking.report("case-answered", code, seq=2)
    assert await tracking.states(code) == ["registered", "info_requested", "unanswered", "in_progress", "answered"]


async def test_after_the_objection_period_it_is_closed_for_good(tracking, ask, at):
    code = await ask(answer_within_days=3)
    await unanswered(tracking, at, code)
    until = (await tracking.case(code)).objection_until(15)
    tracking.set_clock(until + SECOND)
    late = await tracking.act("replies", code, REPLY)
    assert (late.status_code, late.json()["code"]) == (409, "action_not_possible")
    await at(until + 2 * SECOND)
    assert await tracking.state(code) == "closed"
    assert (await tracking.look_up(code)).json()["actions"] == []


async def test_a_reply_in_time_ends_the_term(tracking, ask, at):
    code = await ask(answer_within_days=3)
    tracking.set_clock(ASKED + timedelta(days=1))
    await tracking.act("replies", code, REPLY)
    case = await tracking.case(code)
    assert case.alarm_at == case.due_at
    assert await at(ASKED + timedelta(days=6)) == 0
    assert await tracking.published("request-unanswered") == []


async def test_a_second_question_has_a_term_and_a_reminder_of_its_own(tracking, ask, at):
    code = await ask(answer_within_days=3)
    await at((await tracking.case(code)).alarm_at + SECOND)
    await tracking.act("replies", code, REPLY)
    tracking.set_clock(ASKED + timedelta(days=20))
    question = {"question": "و شمارهٔ قبض؟", "answer_within_days": 5}
    await tracking.report("case-info-requested", code, seq=2, data=question)
    await at((await tracking.case(code)).alarm_at + SECOND)
    reminders = [each["note"] for each in await notices(tracking, "info_requested") if each["reminder"]]
    assert reminders == ["شمارهٔ گذرنامه چیست؟", "و شمارهٔ قبض؟"]


@pytest.mark.parametrize(("report", "state"), [("case-answered", "answered"), ("case-rejected", "rejected")])
async def test_a_decision_that_was_on_its_way_when_the_term_ended_counts(tracking, ask, at, report, state):
    code = await ask(answer_within_days=3)
    await unanswered(tracking, at, code)
    await tracking.report(report, code, seq=2)
    assert await tracking.states(code) == ["registered", "info_requested", "unanswered", state]
    assert "object" in (await tracking.look_up(code)).json()["actions"]
    assert await tracking.refusals(code) == []


@pytest.mark.parametrize("report", ["case-assigned", "case-info-requested", "case-referred"])
async def test_the_office_cannot_go_on_with_an_unanswered_case(tracking, ask, at, report):
    code = await ask(answer_within_days=3)
    await unanswered(tracking, at, code)
    await tracking.report(report, code, seq=2)
    assert [reason for *_, reason in await tracking.refusals(code)] == ["illegal_move"]
    assert await tracking.state(code) == "unanswered"


@pytest.mark.parametrize("days", [0, 61, "x"])
async def test_a_wrong_term_breaks_the_contract(ask, days):
    with pytest.raises(ContractError, match=r"data\.answer_within_days"):
        await ask(answer_within_days=days)
