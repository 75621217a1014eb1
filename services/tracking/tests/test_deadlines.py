"""Late answers: counted in working days, paused while the applicant is asked, and published once."""

import asyncio
import json
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from desk.chassis.crypto import new_key_pair, new_secret
from desk.chassis.settings import DeskSettings
from desk.iran.workdays import WorkCalendar
from desk.testing.event_keys import event_key_pair, event_public_keys
from desk.testing.service_keys import key_pair
from desk.tracking import workers
from desk.tracking.domain import Case, Party, State, Terms, day_of
from desk.tracking.service import Deadlines
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
    """Return a function that acts on the deadlines at a moment."""

    async def at(now):
        tracking.set_clock(now)
        return await tracking.expire_cases()

    return at


@pytest.fixture(autouse=True)
def _submission_day(tracking):
    tracking.set_clock(SUBMITTED)


async def late(tracking, name="request-overdue"):
    return [(each["routing_key"], each["data"]["due_at"]) for each in await tracking.published(name)]


async def test_an_answer_is_not_late_before_the_last_second(tracking, at):
    await tracking.submit()
    assert await at(DUE) == 0
    assert await at(DUE + SECOND) == 1


async def test_a_late_answer_is_published_to_the_province_once(tracking, at):
    code = await tracking.submit()
    for hours in range(1, 4):
        await at(DUE + timedelta(hours=hours))
    [overdue] = await tracking.published("request-overdue")
    assert (overdue["routing_key"], overdue["subject"]) == ("request-overdue.isfahan", code)
    assert overdue["data"]["due_at"] == "2026-12-20T20:29:59Z"
    assert overdue["data"]["province"] == {"key": "isfahan", "name": "اصفهان"}


async def test_a_late_answer_is_published_to_headquarters_once_after_a_second_period(tracking, at):
    await tracking.submit()
    await at(DUE + SECOND)
    assert await at(ESCALATES) == 0
    for hours in range(1, 4):
        await at(ESCALATES + timedelta(hours=hours))
    assert await late(tracking, "request-escalated") == [("request-escalated.headquarters", "2026-12-20T20:29:59Z")]
    assert len(await late(tracking)) == 1


async def test_events_about_a_late_answer_contain_no_personal_data(tracking, at, secrets_of_people):
    await tracking.submit()
    await at(DUE + SECOND)
    await at(ESCALATES + SECOND)
    published = str(await tracking.published())
    assert not [word for word in secrets_of_people if word in published]


async def test_several_workers_publish_each_late_answer_once(tracking, at):
    for _ in range(5):
        await tracking.submit()
    tracking.set_clock(DUE + SECOND)
    assert sum(await asyncio.gather(*(tracking.expire_cases() for _ in range(4)))) == 5
    assert len(await late(tracking)) == 5


async def test_an_answer_in_time_is_never_late(tracking, at):
    code = await tracking.submit()
    await tracking.report("case-answered", code)
    await at(DUE + SECOND)
    assert await late(tracking) == []


@pytest.mark.parametrize("name", ["case-received", "case-assigned"])
async def test_a_received_case_can_be_late(tracking, at, name):
    code = await tracking.submit()
    await tracking.report(name, code)
    await at(DUE + SECOND)
    assert len(await late(tracking)) == 1


async def test_the_period_stops_while_the_applicant_is_asked(tracking, at):
    code = await tracking.submit()
    await tracking.report("case-info-requested", code)
    await at(DUE + timedelta(days=5))  # at most the applicant is reminded
    assert await late(tracking) == []
    asked, replied = date(2026, 12, 13), date(2026, 12, 16)
    tracking.set_clock(datetime(2026, 12, 16, 9, tzinfo=UTC))
    await tracking.act("replies", code, {"text": "این است"})
    due = (await tracking.case(code)).due_at
    assert CALENDAR.count(date(2026, 12, 20), day_of(due)) == CALENDAR.count(asked, replied) == 3
    assert await at(due) == 0
    assert await at(due + SECOND) == 1


async def test_the_new_due_date_is_shown_and_published(tracking):
    code = await tracking.submit()
    await tracking.report("case-info-requested", code)
    tracking.set_clock(datetime(2026, 12, 16, 9, tzinfo=UTC))
    shown = (await tracking.act("replies", code, {"text": "این است"})).json()
    [*_, changed] = await tracking.published("request-status-changed")
    assert shown["due_at"] == changed["data"]["due_at"] > "2026-12-20T20:29:59Z"


async def test_an_objection_starts_a_new_period(tracking, at):
    code = await tracking.submit()
    await at(DUE + SECOND)
    await tracking.report("case-answered", code)
    tracking.set_clock(DUE + timedelta(days=3))
    await tracking.act("objection", code, OBJECTION)
    case = await tracking.case(code)
    assert CALENDAR.count(day_of(DUE + timedelta(days=3)), day_of(case.due_at)) == case.answer_days
    await at(case.due_at + SECOND)
    assert len(await late(tracking)) == 2


async def test_a_referral_keeps_the_new_due_date(tracking):
    code = await tracking.submit()
    await tracking.report("case-info-requested", code)
    tracking.set_clock(datetime(2026, 12, 16, 9, tzinfo=UTC))
    await tracking.report("case-referred", code, seq=2)
    [referred] = await tracking.published("request-referred")
    assert datetime.fromisoformat(referred["data"]["due_at"]) == (await tracking.case(code)).due_at > DUE


async def test_a_decided_case_is_closed_after_the_objection_period(tracking, at):
    code = await tracking.submit()
    await tracking.report("case-answered", code)
    until = datetime.fromisoformat((await tracking.look_up(code)).json()["objection_until"])
    assert await at(until) == 0
    assert await at(until + 2 * SECOND) == 1
    assert await tracking.state(code) == "closed"
    assert (await tracking.published("request-status-changed"))[-1]["data"]["state"] == "closed"
    assert (await tracking.look_up(code)).json()["actions"] == ["rate"]


async def test_a_closed_case_can_be_rated(tracking, at):
    code = await tracking.submit()
    await tracking.report("case-answered", code)
    await at(SUBMITTED + timedelta(days=30))
    await tracking.act("rating", code, {"rating": 5})
    assert [entry.title for entry in await tracking.history(code)][-2:] == ["بسته شد", "ارزیابی شما ثبت شد: ۵ از ۵"]


async def test_a_pending_request_is_never_late(tracking, at, pending, new_code):
    await tracking.bus.handle(pending(new_code()))
    assert await at(ESCALATES + timedelta(days=30)) == 0


@pytest.mark.parametrize(("late", "pause"), [(1, None), (2, 0)])
async def test_the_worker_continues_at_once_after_a_full_batch(tracking, monkeypatch, late, pause):
    monkeypatch.setattr(workers.deadlines, "BATCH", 2)
    registry = CollectorRegistry()
    for _ in range(late):
        await tracking.submit()
    tracking.set_clock(DUE + SECOND)
    task = workers.DeadlineTask(Deadlines(tracking.parts.database, tracking.context), registry)
    assert await task.expire_batch() == pause
    assert registry.get_sample_value("desk_cases_run_out_total", {"state": "registered"}) == late


moments = st.datetimes(datetime(2026, 12, 1), datetime(2028, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
weekends = st.frozensets(st.integers(0, 6), max_size=3)
overrides = st.dictionaries(st.dates(date(2026, 12, 1), date(2027, 12, 31)), st.booleans(), max_size=20)


@settings(deadline=None, max_examples=200)
@given(st.lists(moments, min_size=3, max_size=7), st.integers(1, 30), weekends, overrides)
def test_the_due_date_shifts_by_exactly_the_paused_working_days(times, days, weekend, changed):
    calendar = WorkCalendar(weekend, changed)
    terms = Terms(calendar, 15)
    submitted, *turns = sorted(times)
    due = calendar.end_of_day(calendar.add(day_of(submitted), days))
    case = Case("123456789012", "qom", State.REGISTERED, 1, 0, submitted, due, submitted)
    case, paused = case.with_deadlines(case, terms), 0
    for number, now in enumerate(turns):
        state, party = (
            (State.INFO_REQUESTED, Party.PROVINCE) if number % 2 == 0 else (State.IN_PROGRESS, Party.APPLICANT)
        )
        if case.state is State.INFO_REQUESTED:
            paused += calendar.count(day_of(case.since), day_of(now))
        case = case.change_state(state, party, at=now).with_deadlines(case, terms)
        assert case.alarm_at == (None if state is State.INFO_REQUESTED else case.due_at)
    assert calendar.count(day_of(due), day_of(case.due_at)) == paused
    assert case.due_at == (due if paused == 0 else calendar.end_of_day(day_of(case.due_at)))
    assert case.answer_days == days


def test_the_settings_define_weekend_and_holidays(monkeypatch, tmp_path):
    file = tmp_path / "holidays"
    file.write_text("1405-08-24 free", encoding="utf-8")
    secrets = {"VAULT_KEYS": f"k1:{new_secret()}", "INDEX_KEY": new_secret(), "TOKEN_PRIVATE_KEY": new_key_pair()[0]}
    embedded = {"DATABASE_URL": "sqlite+aiosqlite://", "BROKER_URL": "memory://", "BUDGET_URL": "memory://"}
    peers = dict.fromkeys(("CAPTCHA_URL", "INTAKE_URL", "REGISTRY_URL"), "http://peer")
    for name, value in (secrets | embedded | peers).items():
        monkeypatch.setenv(f"DESK_TRACKING_{name}", value)
    monkeypatch.setenv("DESK_TRACKING_SERVICE_PRIVATE_KEY", key_pair("tracking")[0])
    monkeypatch.setenv("DESK_TRACKING_EVENT_PRIVATE_KEYS", json.dumps([event_key_pair("tracking")[0]]))
    monkeypatch.setenv("DESK_TRACKING_EVENT_PUBLIC_KEYS", json.dumps(event_public_keys(*Settings.receivers)))
    monkeypatch.setenv("DESK_TRACKING_WEEKEND", "friday")
    monkeypatch.setenv("DESK_TRACKING_HOLIDAYS_FILE", str(file))
    calendar = Settings().work_calendar()
    assert isinstance(Settings(), DeskSettings)
    assert calendar == WorkCalendar(frozenset({4}), {date(2026, 11, 15): False})
    file.write_text("yesterday free", encoding="utf-8")
    with pytest.raises(ValueError, match="line 1"):
        Settings()
