"""Differences between intake, tracking, the broker and the provinces, and silent provinces."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import update

from desk.chassis.command import TaskFailedError
from desk.chassis.event_tables import outbox
from desk.chassis.problem import ServiceUnavailableError
from desk.tracking.commands import reconcile
from desk.tracking.service import reconciliation
from desk.tracking.store import case_table
from desk.tracking.workers import ReconciliationTask

SUBMITTED = datetime(2026, 12, 13, 11, 0, tzinfo=UTC)
NOW = SUBMITTED + timedelta(hours=12)
LATER = SUBMITTED + timedelta(days=2)


@pytest.fixture(autouse=True)
def _submission_day(tracking):
    tracking.set_clock(SUBMITTED)


@pytest.fixture
def registry():
    return CollectorRegistry()


@pytest.fixture
def task(tracking, registry):
    """The background task, with metrics of its own."""
    return ReconciliationTask(tracking.reconciliation, registry)


@pytest.fixture
def differences(task):
    async def differences(now=NOW):
        found = await task.reconcile(now)
        return [(each.kind.value, each.where, each.count) for each in found]

    return differences


async def test_equal_states_are_no_difference(tracking, differences, pending, new_code, registry):
    code, waiting = await tracking.submit(), new_code()
    await tracking.bus.handle(pending(waiting))
    tracking.peers.codes = {code: "registered", waiting: "identity_pending"}
    await tracking.report("case-answered", code)
    assert await differences() == []
    assert registry.get_sample_value("desk_reconciliation_time_seconds") == NOW.timestamp()


async def test_a_request_unknown_to_tracking_is_a_difference(tracking, differences, new_code, registry):
    code = new_code()
    tracking.peers.codes = {code: "registered"}
    assert await differences() == [("unknown_to_tracking", code, 1)]
    assert registry.get_sample_value("desk_reconciliation_differences", {"kind": "unknown_to_tracking"}) == 1


async def test_a_request_unknown_to_intake_is_a_difference(tracking, differences):
    code = await tracking.submit()
    assert await differences() == [("unknown_to_intake", code, 1)]


async def test_a_lost_release_is_a_difference(tracking, differences, pending, new_code):
    code = new_code()
    await tracking.bus.handle(pending(code))
    tracking.peers.codes = {code: "registered"}
    assert await differences() == [("other_state", code, 1)]


@pytest.mark.parametrize("at_intake", ["withdrawn", "identity_rejected", "registered"])
async def test_a_withdrawn_request_is_no_difference(tracking, differences, pending, new_code, at_intake):
    code = new_code()
    await tracking.bus.handle(pending(code))
    await tracking.act("withdrawal", code, {})
    tracking.peers.codes = {code: at_intake}
    assert await differences() == []


async def test_a_withdrawal_unknown_to_intake_is_a_difference_after_the_grace_period(
    tracking, differences, pending, new_code
):
    code = new_code()
    await tracking.bus.handle(pending(code))
    await tracking.act("withdrawal", code, {})
    tracking.peers.codes = {code: "identity_pending"}
    assert await differences() == [("other_state", code, 1)]
    tracking.set_clock(NOW)
    other = new_code()
    await tracking.bus.handle(pending(other))
    await tracking.act("withdrawal", other, {}, key="key-00000002")
    tracking.peers.codes[other] = "identity_pending"
    assert await differences() == [("other_state", code, 1)]


async def test_a_withdrawal_known_only_to_intake_is_a_difference(tracking, differences, pending, new_code):
    code = new_code()
    await tracking.bus.handle(pending(code))
    tracking.peers.codes = {code: "withdrawn"}
    assert await differences() == [("other_state", code, 1)]


async def test_old_unsent_events_are_differences(tracking, differences):
    code = await tracking.submit()
    await tracking.report("case-answered", code)
    async with tracking.parts.database.transaction() as session:
        await session.execute(update(outbox).values(created_at=datetime.now(UTC) - timedelta(hours=1)))
    tracking.peers.codes, tracking.peers.unsent = {code: "registered"}, (7, 900.0)
    assert await differences() == [("unsent", "intake", 7), ("unsent", "tracking", 1)]


async def test_files_reserved_at_intake_for_a_missing_reply_are_differences(tracking, differences):
    tracking.peers.files_unannounced = 3
    assert await differences() == [("unclaimed_files", "intake", 3)]


async def test_unacknowledged_requests_are_differences(tracking, differences, registry):
    codes = [await tracking.submit() for _ in range(2)]
    tracking.peers.codes = dict.fromkeys(codes, "registered")
    assert await differences(LATER) == [("unacknowledged", "isfahan", 2)]
    for code in codes:
        await tracking.report("case-received", code)
    assert await differences(LATER) == []
    assert registry.get_sample_value("desk_reconciliation_differences", {"kind": "unacknowledged"}) == 0


async def test_no_code_is_lost_or_repeated_between_pages(tracking, differences, monkeypatch, new_code):
    monkeypatch.setattr(reconciliation, "PAGE", 3)
    codes = [await tracking.submit() for _ in range(10)]
    missing, unknown = codes[4], new_code()
    tracking.peers.codes = {code: "registered" for code in [*codes, unknown] if code != missing}
    assert sorted(await differences()) == [("unknown_to_intake", missing, 1), ("unknown_to_tracking", unknown, 1)]
    assert len([body for _, body in tracking.peers.calls_to("/internal/requests/codes") if body["after"]]) == 3


async def test_a_full_last_page_ends_the_comparison(tracking, differences, monkeypatch):
    monkeypatch.setattr(reconciliation, "PAGE", 2)
    codes = [await tracking.submit() for _ in range(4)]
    tracking.peers.codes = dict.fromkeys(codes, "registered")
    assert await differences() == []


async def test_the_call_to_intake_contains_only_codes_and_times(tracking, differences):
    await differences()
    bodies = {tuple(sorted(body)) for _, body in tracking.peers.calls_to("/internal/requests/codes")}
    assert bodies == {("after", "limit", "since", "until")}


async def test_the_hours_of_the_comparison_leave_no_gap_and_do_not_overlap(tracking, differences):
    await differences()
    bodies = [body for _, body in tracking.peers.calls_to("/internal/requests/codes")]
    hours = sorted((body["since"], body["until"]) for body in bodies if body["since"] != body["until"])
    assert [until for _, until in hours[:-1]] == [since for since, _ in hours[1:]]
    first, last = (datetime.fromisoformat(each) for each in (hours[0][0], hours[-1][1]))
    assert (first, last) == (NOW - timedelta(days=7, minutes=10), NOW - timedelta(minutes=10))


async def test_the_comparison_fails_while_intake_is_unavailable(tracking, differences, registry):
    tracking.peers.intake = httpx.ConnectError("refused")
    with pytest.raises(ServiceUnavailableError):
        await differences()
    assert registry.get_sample_value("desk_reconciliation_time_seconds") == 0


async def test_the_worker_compares_once_a_day_and_retries_while_intake_is_unavailable(tracking, task):
    calls = "/internal/requests/codes"
    tracking.peers.intake = httpx.ConnectError("refused")
    for _ in range(2):
        await task.run_due()
    assert len(tracking.peers.calls_to(calls)) == 2
    tracking.peers.intake = None
    await task.run_due()
    compared = len(tracking.peers.calls_to(calls))
    assert compared > 2
    await task.run_due()
    assert len(tracking.peers.calls_to(calls)) == compared


async def test_a_silent_province_is_published_to_headquarters_once(tracking, task, registry):
    for _ in range(3):
        await tracking.submit()
    assert await task.check_silence(NOW) == set()
    for minutes in range(3):
        assert await task.check_silence(LATER + timedelta(minutes=minutes)) == {"isfahan"}
    [event] = await tracking.published("province-silent")
    assert (event["routing_key"], event["subject"], event["seq"]) == ("province-silent.headquarters", "isfahan", 1)
    assert event["data"] == {
        "province": {"key": "isfahan", "name": "اصفهان"},
        "at": "2026-12-15T11:00:00Z",
        "waiting": 3,
        "oldest_since": "2026-12-13T11:00:00Z",
    }
    assert registry.get_sample_value("desk_province_silent", {"province": "isfahan"}) == 1
    assert registry.get_sample_value("desk_province_silent", {"province": "qom"}) == 0


async def test_a_province_without_requests_is_not_silent(tracking, task):
    code = await tracking.submit()
    await tracking.report("case-received", code)
    assert await task.check_silence(LATER) == set()


async def test_a_province_that_reports_on_any_case_is_not_silent(tracking, task):
    await tracking.submit()
    other = await tracking.submit()
    await tracking.report("case-received", other)
    # Entries are recorded by the real clock, so the period starts a day before it.
    now = datetime.now(UTC) + timedelta(hours=1)
    async with tracking.parts.database.transaction() as session:
        await session.execute(update(case_table).values(since=now - timedelta(days=3)))
    assert await task.check_silence(now) == set()
    assert await task.check_silence(now + timedelta(days=2)) == {"isfahan"}


async def test_a_province_that_becomes_silent_again_is_published_again(tracking, task, registry):
    first = await tracking.submit()
    await task.check_silence(LATER)
    await tracking.report("case-received", first)
    assert await task.check_silence(LATER + timedelta(minutes=1)) == set()
    assert registry.get_sample_value("desk_province_silent", {"province": "isfahan"}) == 0
    await tracking.submit()
    assert await task.check_silence(LATER + timedelta(days=30)) == {"isfahan"}
    assert [each["seq"] for each in await tracking.published("province-silent")] == [1, 2]


async def test_late_answers_are_counted_by_office(tracking, task, registry):
    def counted(province):
        return registry.get_sample_value("desk_cases_overdue", {"province": province})

    late, later_office, answered, _on_time = [await tracking.submit() for _ in range(4)]
    async with tracking.parts.database.transaction() as session:
        for code, values in {
            late: {"overdue": 1},
            later_office: {"office_due_at": LATER},
            answered: {"overdue": 2, "state": "answered"},
        }.items():
            await session.execute(update(case_table).where(case_table.c.tracking_code == code).values(values))
    await task.count_overdue()
    assert (counted("isfahan"), counted("qom")) == (2, 0)
    async with tracking.parts.database.transaction() as session:
        await session.execute(update(case_table).values(overdue=0, office_due_at=None))
    await task.count_overdue()
    assert counted("isfahan") == 0


async def test_the_log_of_a_difference_contains_no_tracking_code(tracking, differences, logged):
    code = await tracking.submit()
    await differences()
    text = logged()
    assert "unknown_to_intake" in text
    assert code not in text


@pytest.fixture
def command(tracking, monkeypatch):
    """Run `desk-tracking reconcile` on the parts of this test."""
    monkeypatch.setattr("desk.tracking.commands.Settings", lambda: tracking.settings)
    monkeypatch.setattr("desk.tracking.commands.real_parts", lambda _: tracking.parts)
    monkeypatch.setattr("desk.tracking.commands.configure_logging", lambda *_: None)
    return reconcile


async def test_the_command_prints_each_difference_and_their_count(tracking, command, new_code):
    code = new_code()
    tracking.set_clock(datetime.now(UTC) - timedelta(days=2))
    await tracking.submit(submitted_at=datetime.now(UTC).isoformat())
    tracking.peers.codes, tracking.peers.submitted_at = {code: "registered"}, datetime.now(UTC) - timedelta(hours=5)
    assert await command() == [f"unknown_to_tracking: {code}", "unacknowledged: isfahan", "2 differences"]


async def test_the_command_fails_while_intake_is_unavailable(tracking, command):
    tracking.peers.intake = httpx.ConnectError("refused")
    with pytest.raises(TaskFailedError, match="nothing was compared"):
        await command()
