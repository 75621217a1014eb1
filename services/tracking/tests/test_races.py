"""Two sessions at once on PostgreSQL: each lock of the store has a test that fails without it."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from desk.chassis.events import Received
from desk.tracking.domain import Party, State
from desk.tracking.events import CaseAnswered
from desk.tracking.store import CaseStore, Probe, ProbeStore, ReconciliationStore

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
LOCK_WAITS = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
)
DUE = datetime(2026, 12, 20, 20, 29, 59, tzinfo=UTC)
LATE = DUE + timedelta(seconds=1)


@pytest.fixture
def waits_for_a_lock(database):
    """Return whether a task waits for a lock that another session holds; False if it ended without waiting."""

    async def waits_for_a_lock(task):
        async with asyncio.timeout(60):
            while not task.done():
                async with database.engine.connect() as connection:
                    if await connection.scalar(LOCK_WAITS):
                        return True
                await asyncio.sleep(0.01)
        return False

    return waits_for_a_lock


@pytest.fixture
def locked(tracking, database):
    """Read a case in a session of its own, as a use case does."""

    async def locked(code):
        async with database.transaction() as session:
            return await CaseStore(session, tracking.parts.vault).find_and_lock(code)

    return locked


async def test_a_case_that_is_being_changed_is_read_only_after_the_change(tracking, database, locked, waits_for_a_lock):
    code = await tracking.submit()
    async with database.transaction() as session:
        cases = CaseStore(session, tracking.parts.vault)
        case, _ = await cases.find_and_lock(code)
        second = asyncio.create_task(locked(code))
        assert await waits_for_a_lock(second)
        await cases.update(case.change_state(State.RECEIVED, Party.PROVINCE, at=LATE, report_seq=1))
    case, _ = await second
    assert (case.state, case.report_seq) == (State.RECEIVED, 1)


async def test_a_report_waits_until_another_of_its_case_is_applied(tracking, database, report, waits_for_a_lock):
    code = await tracking.submit()
    answered = CaseAnswered(tracking_code=code, at=LATE, text="پاسخ")
    async with database.transaction() as session:
        await tracking.reports.on_report(
            session,
            Received(
                "e-2", "/office/isfahan", code, 2, LATE, answered, "case-answered.isfahan", sender="province.isfahan"
            ),
        )
        overtaken = asyncio.create_task(tracking.bus.handle(report("case-assigned", code, seq=1)))
        assert await waits_for_a_lock(overtaken)
    await overtaken
    assert (await tracking.state(code), (await tracking.case(code)).report_seq) == ("answered", 2)
    assert [each["data"]["state"] for each in await tracking.published()] == ["answered"]


async def test_an_action_waits_until_a_report_of_its_case_is_applied(tracking, database, waits_for_a_lock):
    code = await tracking.submit()
    async with database.transaction() as session:
        cases = CaseStore(session, tracking.parts.vault)
        case, _ = await cases.find_and_lock(code)
        withdrawal = asyncio.create_task(tracking.act("withdrawal", code, {}))
        assert await waits_for_a_lock(withdrawal)
        await cases.update(case.change_state(State.ANSWERED, Party.PROVINCE, at=LATE, report_seq=1))
    assert (await withdrawal).json()["code"] == "action_not_possible"
    assert await tracking.state(code) == "answered"


async def test_two_workers_lock_different_expired_cases(tracking, database):
    codes = {await tracking.submit() for _ in range(5)}
    async with database.transaction() as first, database.transaction() as second:
        taken = await CaseStore(first, tracking.parts.vault).lock_expired(LATE, 3)
        left = await CaseStore(second, tracking.parts.vault).lock_expired(LATE, 50)
    assert (len(taken), len(left)) == (3, 2)
    assert {case.tracking_code for case, _ in [*taken, *left]} == codes


async def test_a_worker_skips_a_case_that_a_report_is_changing(tracking, database):
    changing, late = await tracking.submit(), await tracking.submit()
    async with database.transaction() as first, database.transaction() as second:
        await CaseStore(first, tracking.parts.vault).find_and_lock(changing)
        found = await CaseStore(second, tracking.parts.vault).lock_expired(LATE, 50)
    assert [case.tracking_code for case, _ in found] == [late]


async def test_the_silence_of_a_province_begins_once_for_two_workers(database, waits_for_a_lock):
    async def begin():
        async with database.transaction() as session:
            return await ReconciliationStore(session).begin_silence("qom", LATE)

    async with database.transaction() as session:
        assert await ReconciliationStore(session).begin_silence("qom", LATE) == 1
        second = asyncio.create_task(begin())
        assert await waits_for_a_lock(second)
    assert await second is None


async def test_a_silence_that_begins_again_is_counted_once_for_two_workers(database, waits_for_a_lock):
    async def begin():
        async with database.transaction() as session:
            return await ReconciliationStore(session).begin_silence("qom", LATE)

    assert await begin() == 1
    async with database.transaction() as session:
        await ReconciliationStore(session).end_silences([], LATE)
    async with database.transaction() as session:
        assert await ReconciliationStore(session).begin_silence("qom", LATE) == 2
        second = asyncio.create_task(begin())
        assert await waits_for_a_lock(second)
    assert await second is None


async def test_a_probe_that_arrives_while_it_is_looked_up_is_not_found_without_the_time(database, new_code):
    arriving = Probe(new_code(), DUE, DUE, None)
    async with database.transaction() as session:
        execute = session.execute

        async def execute_before_it_arrives(*arguments):
            result = await execute(*arguments)
            async with database.transaction() as other:
                await ProbeStore(other).add(arriving)
            return result

        session.execute = execute_before_it_arrives
        first = await ProbeStore(session).find(arriving.tracking_code, LATE)
    assert first is None
    async with database.transaction() as session:
        assert (await ProbeStore(session).find(arriving.tracking_code, LATE)).found_at == LATE
