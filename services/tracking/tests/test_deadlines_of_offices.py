"""The period that an office gets with a late case: after a take-over, a referral by headquarters, or an escalation."""

from datetime import UTC, date, datetime, timedelta

import pytest

from desk.iran.workdays import WorkCalendar
from desk.tracking.domain import day_of

HQ = "headquarters"
SECOND = timedelta(seconds=1)
DUE = WorkCalendar.end_of_day(date(2026, 12, 20))
CALENDAR = WorkCalendar()
ESCALATES = CALENDAR.end_of_day(
    CALENDAR.add(date(2026, 12, 20), CALENDAR.count(date(2026, 12, 13), date(2026, 12, 20)))
)


@pytest.fixture
def at(tracking):
    """Set the clock and act on the cases whose deadline has passed; return their number."""

    async def at(now: datetime) -> int:
        tracking.set_clock(now)
        return await tracking.expire_cases()

    return at


@pytest.fixture(autouse=True)
def _submission_day(tracking):
    tracking.set_clock(datetime(2026, 12, 13, 11, 0, tzinfo=UTC))


async def notices(tracking):
    """Return the routing keys of the events about late answers, in order."""
    names = ("ir.haj.desk.request-overdue.v1", "ir.haj.desk.request-escalated.v1")
    return [each["routing_key"] for each in await tracking.published() if each["type"] in names]


async def escalated(tracking, at):
    code = await tracking.submit()
    await at(DUE + SECOND)
    await at(ESCALATES + SECOND)
    return code


async def test_a_late_case_that_is_taken_over_is_due_again_and_the_promised_day_stays(tracking, at):
    code = await escalated(tracking, at)
    promised = (await tracking.case(code)).due_at
    await tracking.report("case-taken-over", code, province=HQ)

    case = await tracking.case(code)
    assert (case.due_at, case.overdue) == (promised, 0)
    calendar = tracking.context.terms.calendar
    assert calendar.count(day_of(ESCALATES + SECOND), day_of(case.office_due_at)) == case.answer_days
    assert case.alarm_at == case.office_due_at
    assert datetime.fromisoformat((await tracking.look_up(code)).json()["due_at"]) == promised
    [referred] = await tracking.published("request-referred")
    assert datetime.fromisoformat(referred["data"]["office_due_at"]) == case.office_due_at
    assert datetime.fromisoformat(referred["data"]["due_at"]) == promised

    assert await at(case.office_due_at) == 0
    assert await at(case.office_due_at + SECOND) == 1
    assert await at(case.office_due_at + timedelta(days=60)) == 1
    assert await at(case.office_due_at + timedelta(days=120)) == 0
    assert await notices(tracking) == [
        "request-overdue.isfahan",
        f"request-escalated.{HQ}",
        f"request-overdue.{HQ}",
        f"request-escalated.{HQ}",
    ]
    overdue = (await tracking.published("request-overdue"))[-1]["data"]
    assert datetime.fromisoformat(overdue["due_at"]) == promised
    assert datetime.fromisoformat(overdue["office_due_at"]) == case.office_due_at


async def test_an_escalated_case_that_is_referred_is_due_again_at_the_new_office(tracking, at):
    code = await escalated(tracking, at)
    await tracking.report("case-referred", code, data={"province": "fars"})
    case = await tracking.case(code)
    await at(case.office_due_at + SECOND)
    assert (await notices(tracking))[-1] == "request-overdue.fars"


async def test_a_late_case_that_headquarters_refers_is_due_again_at_each_office(tracking, at):
    code = await tracking.submit()
    await at(DUE + SECOND)
    await tracking.report("case-taken-over", code, province=HQ)
    tracking.set_clock(ESCALATES)
    await tracking.report("case-referred", code, province=HQ, seq=2, data={"province": "fars"})
    case = await tracking.case(code)
    calendar = tracking.context.terms.calendar
    assert calendar.count(day_of(ESCALATES), day_of(case.office_due_at)) == case.answer_days
    assert case.overdue == 0


async def test_a_referral_between_provinces_does_not_postpone_the_notice_to_headquarters(tracking, at):
    code = await tracking.submit()
    await at(DUE + SECOND)
    await tracking.report("case-referred", code, data={"province": "fars"})
    await tracking.report("case-referred", code, province="fars", data={"province": "isfahan"})
    assert (await tracking.case(code)).office_due_at is None
    await at(ESCALATES + SECOND)
    assert (await notices(tracking))[-1] == f"request-escalated.{HQ}"


@pytest.mark.parametrize(("name", "province"), [("case-taken-over", HQ), ("case-referred", "isfahan")])
async def test_a_case_that_is_not_late_keeps_the_promised_day_as_its_deadline(tracking, name, province):
    code = await tracking.submit()
    await tracking.report(name, code, province=province)
    case = await tracking.case(code)
    assert (case.office_due_at, case.alarm_at) == (None, DUE)


async def test_the_period_of_the_office_stops_while_the_applicant_is_asked(tracking, at):
    code = await escalated(tracking, at)
    await tracking.report("case-taken-over", code, province=HQ)
    before = (await tracking.case(code)).office_due_at
    await tracking.report("case-info-requested", code, province=HQ, seq=2)
    tracking.set_clock(ESCALATES + timedelta(days=4))
    await tracking.act("replies", code, {"text": "این است"})
    case = await tracking.case(code)
    calendar = tracking.context.terms.calendar
    paused = calendar.count(day_of(ESCALATES + SECOND), day_of(ESCALATES + timedelta(days=4)))
    assert calendar.count(day_of(before), day_of(case.office_due_at)) == paused > 0
    assert case.alarm_at == case.office_due_at


async def test_an_objection_ends_the_period_of_the_office(tracking, at):
    code = await escalated(tracking, at)
    await tracking.report("case-taken-over", code, province=HQ)
    await tracking.report("case-answered", code, province=HQ, seq=2)
    assert (await tracking.act("objection", code, {"text": "پاسخ درست نبود."})).is_success
    case = await tracking.case(code)
    assert (case.office_due_at, case.alarm_at) == (None, case.due_at)
    assert case.due_at > datetime(2026, 12, 28, tzinfo=UTC)


async def test_a_late_answer_of_a_former_office_stays_late_in_the_figures(tracking, at):
    for _ in range(5):
        code = await escalated(tracking, at)
        await tracking.report("case-taken-over", code, province=HQ)
    figures = tracking.services.figures
    found = await figures.count(figures.scope(HQ, HQ, None, None))
    [counts] = found.counts
    [tally] = counts.tallies().values()
    assert (tally.requests, tally.open, tally.overdue) == (5, 5, 5)
