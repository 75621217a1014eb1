"""Late answers: counted in working days, standing still while the applicant is asked, told once to who is next."""

import asyncio
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desk.chassis.settings import DeskSettings
from desk.iran.workdays import WorkCalendar
from desk.tracking.domain import Case, Party, State, Terms, day_of
from desk.tracking.settings import Settings

CALENDAR = WorkCalendar()
TERMS = Terms(CALENDAR, 15)
SUBMITTED = datetime(2026, 12, 13, 11, 0, tzinfo=UTC)
DUE = datetime(2026, 12, 20, 20, 29, 59, tzinfo=UTC)
ESCALATES = CALENDAR.end_of_day(
    CALENDAR.add(date(2026, 12, 20), CALENDAR.count(date(2026, 12, 13), date(2026, 12, 20)))
)
SECOND = timedelta(seconds=1)
OBJECTION = {"text": "پاسخ به پرسش من نبود."}


@pytest.fixture
def at(tracking):
    """Look at a moment."""

    async def at(now):
        tracking.set_clock(now)
        return await tracking.look()

    return at


@pytest.fixture(autouse=True)
def _submission_day(tracking):
    tracking.set_clock(SUBMITTED)


async def late(tracking, name="request-overdue"):
    return [(each["routing_key"], each["data"]["due_at"]) for each in await tracking.announced(name)]


async def test_nothing_is_late_until_the_last_second(tracking, at):
    await tracking.submit()
    assert await at(DUE) == 0
    assert await at(DUE + SECOND) == 1


async def test_the_province_is_told_once_that_its_answer_is_late(tracking, at):
    code = await tracking.submit()
    for hours in range(1, 4):
        await at(DUE + timedelta(hours=hours))
    [overdue] = await tracking.announced("request-overdue")
    assert (overdue["routing_key"], overdue["subject"]) == ("request-overdue.isfahan", code)
    assert overdue["data"]["due_at"] == "2026-12-20T20:29:59Z"
    assert overdue["data"]["province"] == {"key": "isfahan", "name": "اصفهان"}


async def test_after_a_second_period_headquarters_is_told_once(tracking, at):
    await tracking.submit()
    await at(DUE + SECOND)
    assert await at(ESCALATES) == 0
    for hours in range(1, 4):
        await at(ESCALATES + timedelta(hours=hours))
    assert await late(tracking, "request-escalated") == [("request-escalated.headquarters", "2026-12-20T20:29:59Z")]
    assert len(await late(tracking)) == 1


async def test_what_is_told_of_a_late_case_holds_nothing_personal(tracking, at, secrets_of_people):
    await tracking.submit()
    await at(DUE + SECOND)
    await at(ESCALATES + SECOND)
    told = str(await tracking.announced())
    assert not [word for word in secrets_of_people if word in told]


async def test_several_workers_tell_of_each_case_once(tracking, at):
    for _ in range(5):
        await tracking.submit()
    tracking.set_clock(DUE + SECOND)
    assert sum(await asyncio.gather(*(tracking.look() for _ in range(4)))) == 5
    assert len(await late(tracking)) == 5


async def test_an_answer_in_time_is_never_late(tracking, at):
    code = await tracking.submit()
    await tracking.report("case-answered", code)
    await at(DUE + SECOND)
    assert await late(tracking) == []


@pytest.mark.parametrize("name", ["case-received", "case-assigned"])
async def test_a_case_in_hand_is_late_all_the_same(tracking, at, name):
    code = await tracking.submit()
    await tracking.report(name, code)
    await at(DUE + SECOND)
    assert len(await late(tracking)) == 1


async def test_time_stands_still_while_the_applicant_is_asked(tracking, at):
    code = await tracking.submit()
    await tracking.report("case-info-requested", code)
    assert await at(DUE + timedelta(days=30)) == 0
    asked, replied = date(2026, 12, 13), date(2026, 12, 16)
    tracking.set_clock(datetime(2026, 12, 16, 9, tzinfo=UTC))
    await tracking.act("replies", code, {"text": "این است"})
    due = (await tracking.case(code)).due_at
    assert CALENDAR.count(date(2026, 12, 20), day_of(due)) == CALENDAR.count(asked, replied) == 3
    assert await at(due) == 0
    assert await at(due + SECOND) == 1


async def test_the_moved_date_is_shown_and_announced(tracking):
    code = await tracking.submit()
    await tracking.report("case-info-requested", code)
    tracking.set_clock(datetime(2026, 12, 16, 9, tzinfo=UTC))
    shown = (await tracking.act("replies", code, {"text": "این است"})).json()
    [*_, changed] = await tracking.announced("request-status-changed")
    assert shown["due_at"] == changed["data"]["due_at"] > "2026-12-20T20:29:59Z"


async def test_an_objection_begins_a_new_period(tracking, at):
    code = await tracking.submit()
    await at(DUE + SECOND)
    await tracking.report("case-answered", code)
    tracking.set_clock(DUE + timedelta(days=3))
    await tracking.act("objection", code, OBJECTION)
    case = await tracking.case(code)
    assert CALENDAR.count(day_of(DUE + timedelta(days=3)), day_of(case.due_at)) == case.answer_days
    await at(case.due_at + SECOND)
    assert len(await late(tracking)) == 2


async def test_a_referral_keeps_the_moved_date(tracking):
    code = await tracking.submit()
    await tracking.report("case-info-requested", code)
    tracking.set_clock(datetime(2026, 12, 16, 9, tzinfo=UTC))
    await tracking.report("case-referred", code, seq=2)
    [referred] = await tracking.announced("request-referred")
    assert datetime.fromisoformat(referred["data"]["due_at"]) == (await tracking.case(code)).due_at > DUE


async def test_a_decided_case_is_closed_when_nobody_can_object_any_more(tracking, at):
    code = await tracking.submit()
    await tracking.report("case-answered", code)
    until = datetime.fromisoformat((await tracking.ask(code)).json()["objection_until"])
    assert await at(until) == 0
    assert await at(until + 2 * SECOND) == 1
    assert await tracking.state(code) == "closed"
    assert (await tracking.announced("request-status-changed"))[-1]["data"]["state"] == "closed"
    assert (await tracking.ask(code)).json()["actions"] == ["rate"]


async def test_a_closed_case_may_still_be_rated(tracking, at):
    code = await tracking.submit()
    await tracking.report("case-answered", code)
    await at(SUBMITTED + timedelta(days=30))
    await tracking.act("rating", code, {"rating": 5})
    assert [step.title for step in await tracking.history(code)][-2:] == ["بسته شد", "ارزیابی شما ثبت شد: ۵ از ۵"]


async def test_a_pending_identity_is_nobodys_delay(tracking, at, pending, new_code):
    await tracking.bus.handle(pending(new_code()))
    assert await at(ESCALATES + timedelta(days=30)) == 0


moments = st.datetimes(datetime(2026, 12, 1), datetime(2028, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
weekends = st.frozensets(st.integers(0, 6), max_size=3)
overrides = st.dictionaries(st.dates(date(2026, 12, 1), date(2027, 12, 31)), st.booleans(), max_size=20)


@settings(deadline=None, max_examples=200)
@given(st.lists(moments, min_size=3, max_size=7), st.integers(1, 30), weekends, overrides)
def test_the_due_date_moves_by_exactly_the_working_days_paused(times, days, weekend, changed):
    calendar = WorkCalendar(weekend, changed)
    terms = Terms(calendar, 15)
    submitted, *turns = sorted(times)
    due = calendar.end_of_day(calendar.add(day_of(submitted), days))
    case = Case("123456789012", "qom", State.REGISTERED, 1, 0, submitted, due, submitted)
    case, paused = case.timed(case, terms), 0
    for number, now in enumerate(turns):
        state, party = (
            (State.INFO_REQUESTED, Party.PROVINCE) if number % 2 == 0 else (State.IN_PROGRESS, Party.APPLICANT)
        )
        if case.state is State.INFO_REQUESTED:
            paused += calendar.count(day_of(case.since), day_of(now))
        case = case.move_to(state, party, at=now).timed(case, terms)
        assert case.alarm_at == (None if state is State.INFO_REQUESTED else case.due_at)
    assert calendar.count(day_of(due), day_of(case.due_at)) == paused
    assert case.due_at == (due if paused == 0 else calendar.end_of_day(day_of(case.due_at)))
    assert case.answer_days == days


def test_settings_name_the_weekend_and_a_file_of_holidays(monkeypatch, tmp_path):
    file = tmp_path / "holidays"
    file.write_text("1405-08-24 free", encoding="utf-8")
    for name in ("DATABASE_URL", "VAULT_KEYS", "INDEX_KEY", "BROKER_URL", "TOKEN_PRIVATE_KEY", "CAPTCHA_URL"):
        monkeypatch.setenv(f"DESK_TRACKING_{name}", "x")
    for name in ("INTAKE_URL", "REGISTRY_URL", "BUDGET_URL"):
        monkeypatch.setenv(f"DESK_TRACKING_{name}", "x")
    monkeypatch.setenv("DESK_TRACKING_WEEKEND", "friday")
    monkeypatch.setenv("DESK_TRACKING_HOLIDAYS_FILE", str(file))
    calendar = Settings().work_calendar()
    assert isinstance(Settings(), DeskSettings)
    assert calendar == WorkCalendar(frozenset({4}), {date(2026, 11, 15): False})
    file.write_text("yesterday free", encoding="utf-8")
    with pytest.raises(ValueError, match="line 1"):
        Settings()
