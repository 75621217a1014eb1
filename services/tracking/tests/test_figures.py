"""Figures: the same as a plain count of the cases, with any part of them in the roll-up, and without small counts."""

import asyncio
import secrets
from datetime import UTC, datetime, timedelta
from statistics import fmean

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, update

from desk.chassis.telemetry import Telemetry
from desk.database import data_key
from desk.iran.jalali import in_tehran
from desk.tracking.app import build_erasures
from desk.tracking.domain import BEFORE_ANY_OFFICE, OPEN, SETTLED, TRANSITIONS, ErasureReason, State, Tally, read_cells
from desk.tracking.routes.figures import FiguresView, respond
from desk.tracking.store import case_table
from desk.tracking.store.tables import roll_up_table
from desk.tracking.workers import FiguresTask

NOW = datetime(2026, 12, 14, 8, 0, tzinfo=UTC)
"""1405-09-23."""
ANSWERED = Tally(requests=1, answered=1, days={1: 1})
CASES = st.lists(
    st.fixed_dictionaries(
        {
            "province": st.sampled_from(["isfahan", "fars", "headquarters"]),
            "subject": st.sampled_from(["umrah", "hajj_deposit"]),
            "sub_subject": st.sampled_from(["one", "two"]),
            "state": st.sampled_from([state.value for state in State if state is not State.ERASED]),
            "submitted_at": st.integers(0, 400).map(lambda days: NOW - timedelta(days=days, hours=3)),
            "first_answer_days": st.none() | st.integers(0, 12),
            "overdue": st.integers(0, 2),
            "objections": st.integers(0, 1),
            "ratings": st.integers(0, 2),
        }
    ),
    max_size=60,
)


@pytest.fixture
async def add_cases(tracking):
    """Replace all cases by some with these columns."""

    async def add_cases(drawn):
        async with tracking.parts.database.transaction() as session:
            await session.execute(delete(case_table))
            await session.execute(delete(roll_up_table))
            if drawn:
                await session.execute(case_table.insert(), [_row(each) for each in drawn])

    return add_cases


def _row(columns):
    fixed = {"owner_index": "", "seq": 1, "report_seq": 0, "request": b"", "due_at": NOW, "since": NOW}
    code = f"{secrets.randbelow(10**12):012}"
    return fixed | columns | {"tracking_code": code, "rating_sum": columns["ratings"] * 4}


@pytest.fixture
def report(tracking):
    """Return the figures that an office gets."""

    async def report(caller="headquarters", office=None):
        tracking.set_clock(NOW)
        figures = tracking.services.figures
        found = await figures.count(figures.scope(caller, office, None, None))
        return FiguresView.model_validate_json(respond(found).replace('"from":', '"from_":', 1))

    return report


def count(drawn):
    """Count the cases of the last twelve months by month, office, subject and sub-subject."""
    groups = {}
    for each in drawn:
        day = in_tehran(each["submitted_at"])[0]
        month = f"{day.year}-{day.month:02}"
        if month >= "1404-10" and State(each["state"]) not in BEFORE_ANY_OFFICE:
            key = (month, each["province"], each["subject"], each["sub_subject"])
            groups.setdefault(key, []).append(each)
    return groups


def plain(cases):
    """Return the counts of some cases as Python counts them."""
    is_open = [each for each in cases if State(each["state"]) in OPEN]
    days = sorted(each["first_answer_days"] for each in cases if each["first_answer_days"] is not None)
    return {
        "requests": len(cases),
        "open": len(is_open),
        "overdue": sum(each["overdue"] > 0 for each in is_open),
        "answered": len(days),
        "objections": sum(each["objections"] for each in cases),
        "ratings": sum(each["ratings"] for each in cases),
    }, days


def agrees(shown, number):
    return shown == number if isinstance(shown, int) else number > 0 and (shown == "suppressed" or number < 5)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=40, deadline=None
)
@given(CASES, st.sampled_from([0, 7, 1000]))
async def test_the_figures_are_a_plain_count_however_much_of_it_is_rolled_up(
    tracking, add_cases, report, drawn, rolled_up
):
    await add_cases(drawn)
    await tracking.services.figures.count_settled(rolled_up)

    figures, groups = await report(), count(drawn)

    assert {(it.month, it.office, it.subject, it.sub_subject) for it in figures.figures} == groups.keys()
    for cell in figures.figures:
        counts, days = plain(groups[cell.month, cell.office, cell.subject, cell.sub_subject])
        for name, number in counts.items():
            assert agrees(getattr(cell, name), number), name
        if isinstance(cell.answered, int) and cell.answered >= 5:
            assert cell.median_days == days[(len(days) - 1) // 2]
            assert cell.p90_days == days[-(-len(days) * 9 // 10) - 1]
        else:
            assert cell.median_days is None
    by_office_and_month = {}
    for key, cases in groups.items():
        by_office_and_month.setdefault(key[:2], []).extend(cases)
    assert {(it.month, it.office) for it in figures.office_months} == by_office_and_month.keys()
    for total in figures.office_months:
        for name, number in plain(by_office_and_month[total.month, total.office])[0].items():
            assert agrees(getattr(total, name), number), name


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20, deadline=None)
@given(CASES)
async def test_a_total_is_the_sum_of_the_months_that_are_shown_and_says_what_is_missing(add_cases, report, drawn):
    await add_cases(drawn)

    figures = await report()

    for totals, of in ((figures.offices, "office"), (figures.months, "month")):
        for total in totals:
            parts = [it for it in figures.office_months if getattr(it, of) == getattr(total, of)]
            for name in ("requests", "open", "answered", "ratings"):
                values = [getattr(part, name) for part in parts]
                known = sum(value for value in values if isinstance(value, int))
                hidden = any(isinstance(value, str) for value in values)
                assert (name in total.incomplete) == hidden
                assert getattr(total, name) == (known or ("suppressed" if hidden else 0))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20, deadline=None)
@given(CASES)
async def test_an_office_gets_the_same_as_headquarters_gets_of_it(add_cases, report, drawn):
    await add_cases(drawn)

    everything, own, asked = await report(), await report("fars"), await report(office="fars")

    assert own == asked
    assert own.figures == [it for it in everything.figures if it.office == "fars"]
    assert own.office_months == [it for it in everything.office_months if it.office == "fars"]


async def test_ratings_have_a_mean_for_five_or_more(add_cases, report):
    case = {"province": "fars", "subject": "umrah", "sub_subject": "one", "state": "answered", "submitted_at": NOW}
    case |= {"first_answer_days": 2, "overdue": 0, "objections": 0, "ratings": 1}
    await add_cases([case] * 4)
    [few] = (await report()).figures
    await add_cases([case] * 5)
    [enough] = (await report()).figures

    assert (few.ratings, few.rating_mean) == ("<5", None)
    assert (enough.ratings, enough.rating_mean) == (5, fmean([4] * 5))


async def test_working_days_leave_out_weekends_and_holidays(tracking):
    """From Wednesday 1405-09-18 to Saturday 09-21 is one working day, by the clock of tracking, not the office's."""
    tracking.set_clock(datetime(2026, 12, 12, 9, 0, tzinfo=UTC))
    code = await tracking.submit(submitted_at="2026-12-09T08:00:00Z")
    await tracking.report("case-answered", code, at="2026-12-09T08:30:00Z")
    assert (await tracking.case(code)).first_answer_days == 1


async def test_events_record_what_is_counted(tracking):
    tracking.set_clock(NOW)
    code = await tracking.submit()
    await tracking.report("case-answered", code, seq=1)
    assert (await tracking.act("rating", code, {"rating": 4})).status_code == 200
    assert (await tracking.act("objection", code, {"text": "پاسخ روشن نیست."})).status_code == 200
    tracking.set_clock(NOW + timedelta(days=3))
    await tracking.report("case-answered", code, seq=2)
    assert (await tracking.act("rating", code, {"rating": 1}, key="key-00000002")).status_code == 200

    case = await tracking.case(code)
    [row] = await tracking.rows(select(case_table.c.subject, case_table.c.sub_subject))
    assert tuple(row) == ("hajj_deposit", "lost_receipt")
    assert (case.first_answer_days, case.objections, case.ratings, case.rating_sum) == (1, 1, 2, 5)


async def test_a_referral_to_another_subject_is_counted_there(tracking):
    code = await tracking.submit()
    umrah = {"key": "umrah", "title": "عمره"}, {"key": "umrah_visa", "title": "روادید"}
    await tracking.report("case-referred", code, data={"subject": umrah[0], "sub_subject": umrah[1]})
    [row] = await tracking.rows(select(case_table.c.province, case_table.c.subject, case_table.c.sub_subject))
    assert tuple(row) == ("fars", "umrah", "umrah_visa")


@pytest.fixture
async def closed(tracking):
    """A case that was answered, rated and closed."""
    tracking.set_clock(NOW)
    code = await tracking.submit()
    await tracking.report("case-answered", code)
    tracking.set_clock(NOW + timedelta(days=30))
    assert await tracking.expire_cases() == 1
    return code


async def roll_up(tracking):
    """Return the counts of the roll-up of one office and month."""
    rows = await tracking.rows(select(roll_up_table.c.cells))
    return [tally for row in rows for tally in read_cells(row.cells).values()]


async def test_a_rating_after_the_case_was_counted_is_added(tracking, closed):
    await tracking.services.figures.count_settled(10)
    assert (await tracking.act("rating", closed, {"rating": 5})).status_code == 200
    assert await roll_up(tracking) == [Tally(requests=1, answered=1, ratings=1, rating_sum=5, days={1: 1})]


async def test_each_case_is_counted_once_by_several_replicas(tracking, closed):
    counted = await asyncio.gather(*(tracking.services.figures.count_settled(10) for _ in range(4)))
    assert sum(counted) == 1
    assert await roll_up(tracking) == [ANSWERED]
    assert (await tracking.case(closed)).counted


@pytest.mark.parametrize("counted_before", [True, False])
async def test_history_does_not_shrink_when_a_case_is_erased(tracking, closed, counted_before):
    if counted_before:
        await tracking.services.figures.count_settled(10)
    erasures = build_erasures(tracking.settings, tracking.parts, tracking.context)
    assert await erasures.erase(closed, ErasureReason.APPLICANT, "operator maryam")
    await tracking.services.figures.count_settled(10)

    assert await roll_up(tracking) == [ANSWERED]
    [row] = await tracking.rows(select(case_table))
    assert (row.counted, row.subject, row.sub_subject, row.first_answer_days) == (True, None, None, None)


async def test_a_request_that_no_office_received_is_never_counted(
    tracking, pending, identity_rejected, new_code, report
):
    code = new_code()
    await tracking.bus.handle(pending(code))
    await tracking.bus.handle(identity_rejected(code))
    assert (await report()).figures == []
    erasures = build_erasures(tracking.settings, tracking.parts, tracking.context)
    assert await erasures.erase(code, ErasureReason.APPLICANT, "operator maryam")
    assert await roll_up(tracking) == []
    assert (await report()).figures == []


async def test_cases_from_before_figures_are_read_and_counted(tracking, closed):
    assert (await tracking.act("rating", closed, {"rating": 3})).status_code == 200
    await forget(tracking)
    task = FiguresTask(tracking.services.figures, Telemetry("test").registry)

    while await task.count_batch() == 0:
        pass

    [row] = await tracking.rows(select(roll_up_table))
    assert (row.month, row.office) == ("1405-09", "isfahan")
    [(cell, tally)] = read_cells(row.cells).items()
    assert cell == ("hajj_deposit", "lost_receipt")
    assert (tally.requests, tally.answered, tally.ratings, tally.rating_sum) == (1, 1, 1, 3)


async def test_a_case_that_cannot_be_read_is_counted_under_an_unknown_subject(tracking, closed):
    await forget(tracking)
    async with tracking.parts.database.transaction() as session:
        await session.execute(delete(data_key))
    task = FiguresTask(tracking.services.figures, Telemetry("test").registry)
    while await task.count_batch() == 0:
        pass
    [row] = await tracking.rows(select(roll_up_table))
    assert read_cells(row.cells)["unknown", "unknown"].requests == 1
    assert (await tracking.rows(select(case_table.c.tracking_code)))[0][0] == closed


async def forget(tracking):
    """Leave the case as an earlier version wrote it."""
    nothing = {"subject": None, "sub_subject": None, "first_answer_days": None, "ratings": 0, "rating_sum": 0}
    async with tracking.parts.database.transaction() as session:
        await session.execute(update(case_table).values(**nothing))


def test_a_settled_case_can_only_be_rated_or_erased():
    for state in SETTLED:
        following = {each for allowed in TRANSITIONS[state].values() for each in allowed}
        assert following <= {state, State.ERASED}


async def test_a_sum_of_working_days_survives_the_roll_up(tracking, add_cases):
    case = {"province": "fars", "subject": "umrah", "sub_subject": "one", "state": "closed", "submitted_at": NOW}
    case |= {"overdue": 0, "objections": 1, "ratings": 0}
    await add_cases([case | {"first_answer_days": days} for days in (1, 1, 3, None, 12)])
    for _ in range(3):
        await tracking.services.figures.count_settled(2)
    [tally] = await roll_up(tracking)
    assert tally == Tally(requests=5, answered=4, objections=5, days={1: 2, 3: 1, 12: 1})
