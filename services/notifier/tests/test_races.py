"""Two sessions at once: each lock of the store has a test that fails without it.

SQLite runs one writing transaction at a time, so the tests that hold two open run on PostgreSQL only.
"""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from desk.notifier.domain import (
    ChannelName,
    Delivery,
    Outcome,
    SendingPolicy,
    Template,
    Trouble,
)
from desk.notifier.store import (
    ClaimStore,
    DeliveryReportStore,
    LeaseExpiredError,
    MessageStore,
    Notice,
    PersonalData,
)
from desk.notifier.store.tables import message

ON_POSTGRESQL = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
LOCK_WAITS = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
)
MOBILE_ONLY = {"mobile": "+989123456789", "email": None}
NOTICE = Notice(
    "e-1",
    "123456789012",
    1,
    Template.ANSWERED,
    ChannelName.SMS,
    "fa/answered.sms.v1",
    PersonalData(recipient="+989123456789", text="متن"),
)


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
def in_session(notifier, database):
    """Run a method of the message store in a session of its own."""

    async def in_session(method, *arguments):
        async with database.transaction() as session:
            return await method(MessageStore(session, notifier.parts.vault), *arguments)

    return in_session


@pytest.fixture
def in_claim_session(database):
    """Run a method of the claim store in a session of its own."""

    async def in_claim_session(method, *arguments):
        async with database.transaction() as session:
            return await method(ClaimStore(await session.connection()), *arguments)

    return in_claim_session


@pytest.fixture
def in_report_session(database):
    """Run a method of the delivery report store in a session of its own."""

    async def in_report_session(method, *arguments):
        async with database.transaction() as session:
            return await method(DeliveryReportStore(session), *arguments)

    return in_report_session


async def test_dispatchers_claim_different_messages(notifier, in_claim_session):
    for _ in range(12):
        await notifier.submit(contact=MOBILE_ONLY)
    claims = await asyncio.gather(*(in_claim_session(ClaimStore.claim, ChannelName.SMS, 3) for _ in range(4)))
    ids = [claim.id for batch in claims for claim in batch]
    assert len(ids) == len(set(ids)) > 3


@ON_POSTGRESQL
async def test_a_dispatcher_skips_messages_that_another_is_claiming(notifier, database, in_claim_session):
    for _ in range(5):
        await notifier.submit(contact=MOBILE_ONLY)
    async with asyncio.timeout(60), database.transaction() as session:
        first = await ClaimStore(await session.connection()).claim(ChannelName.SMS, 3)
        second = await in_claim_session(ClaimStore.claim, ChannelName.SMS, 3)
    assert (len(first), len(second)) == (3, 2)
    assert {claim.id for claim in first}.isdisjoint(claim.id for claim in second)


@ON_POSTGRESQL
async def test_a_result_waits_for_a_newer_claim_and_is_dropped(notifier, database, in_claim_session, waits_for_a_lock):
    await notifier.submit(contact=MOBILE_ONLY)
    [expired] = await in_claim_session(ClaimStore.claim, ChannelName.SMS, 1)
    await notifier.make_all_due()
    async with database.transaction() as session:
        [newer] = await ClaimStore(await session.connection()).claim(ChannelName.SMS, 1)
        late = asyncio.create_task(in_claim_session(ClaimStore.record, expired, Outcome.retry(1, Trouble.BUSY)))
        assert await waits_for_a_lock(late)
    assert await late is False
    assert await in_claim_session(ClaimStore.record, newer, Outcome.handed_over("p-1"))


@ON_POSTGRESQL
async def test_a_provider_is_not_assigned_to_a_message_that_another_dispatcher_claims(
    notifier, database, in_claim_session, waits_for_a_lock
):
    await notifier.submit(contact=MOBILE_ONLY)
    [expired] = await in_claim_session(ClaimStore.claim, ChannelName.SMS, 1)
    await notifier.make_all_due()
    async with database.transaction() as session:
        await ClaimStore(await session.connection()).claim(ChannelName.SMS, 1)
        late = asyncio.create_task(in_claim_session(ClaimStore.assign, expired, "kavenegar"))
        assert await waits_for_a_lock(late)
    with pytest.raises(LeaseExpiredError):
        await late
    assert await notifier.rows("provider") == [(None,)]


@ON_POSTGRESQL
async def test_a_notice_that_is_being_claimed_is_not_superseded(notifier, database, in_session, waits_for_a_lock):
    await notifier.change_status("answered", seq=4, contact=MOBILE_ONLY)
    async with database.transaction() as session:
        await ClaimStore(await session.connection()).claim(ChannelName.SMS, 1)
        late = asyncio.create_task(in_session(MessageStore.supersede, "123456789012", 5))
        assert await waits_for_a_lock(late)
    await late
    assert await notifier.rows("state") == [("claimed",)]


@ON_POSTGRESQL
async def test_a_notice_that_is_being_superseded_is_not_claimed(notifier, database, in_claim_session):
    await notifier.change_status("answered", seq=4, contact=MOBILE_ONLY)
    async with asyncio.timeout(60), database.transaction() as session:
        await MessageStore(session, notifier.parts.vault).supersede("123456789012", 5)
        assert await in_claim_session(ClaimStore.claim, ChannelName.SMS, 1) == []
    assert await notifier.rows("state") == [("overtaken",)]


async def test_the_same_event_in_two_sessions_queues_each_message_once(notifier, in_session):
    await asyncio.gather(*(in_session(MessageStore.queue, [NOTICE], SendingPolicy()) for _ in range(4)))
    assert await notifier.rows("event_id", "tries") == [("e-1", 0)]


@ON_POSTGRESQL
async def test_a_repeated_event_waits_for_the_first_and_queues_nothing(
    notifier, database, in_session, waits_for_a_lock
):
    async with database.transaction() as session:
        await MessageStore(session, notifier.parts.vault).queue([NOTICE], SendingPolicy())
        second = asyncio.create_task(in_session(MessageStore.queue, [NOTICE], SendingPolicy()))
        assert await waits_for_a_lock(second)
    await second
    assert await notifier.rows("event_id") == [("e-1",)]


@pytest.fixture
async def handed_over(notifier, in_claim_session):
    """A message that kavenegar accepted an hour ago, and whose report is to be polled."""
    await notifier.submit(contact=MOBILE_ONLY)
    [claim] = await in_claim_session(ClaimStore.claim, ChannelName.SMS, 1)
    claim = await in_claim_session(ClaimStore.assign, claim, "kavenegar")
    assert await in_claim_session(ClaimStore.record, claim, Outcome.handed_over("p-1"))
    await notifier.update(handed_over_at=datetime.now(UTC) - timedelta(hours=2))
    await notifier.make_all_due()


async def test_two_replicas_poll_for_different_reports(handed_over, in_report_session):
    polls = await asyncio.gather(*(in_report_session(DeliveryReportStore.claim_due_polls, 10) for _ in range(4)))
    assert sorted(len(each) for each in polls) == [0, 0, 0, 1]


@ON_POSTGRESQL
async def test_a_replica_skips_reports_that_another_is_going_to_poll(handed_over, database, in_report_session):
    async with asyncio.timeout(60), database.transaction() as session:
        first = await DeliveryReportStore(session).claim_due_polls(10)
        second = await in_report_session(DeliveryReportStore.claim_due_polls, 10)
    assert (len(first), len(second)) == (1, 0)


@ON_POSTGRESQL
async def test_a_message_whose_delivery_is_being_recorded_is_not_sent_again(
    handed_over, notifier, database, in_report_session, waits_for_a_lock
):
    [lost] = await in_report_session(DeliveryReportStore.claim_due_polls, 1)
    async with database.transaction() as session:
        assert await DeliveryReportStore(session).record_delivery("kavenegar", "p-1", Delivery.DELIVERED)
        requeuing = asyncio.create_task(in_report_session(DeliveryReportStore.requeue, lost))
        assert await waits_for_a_lock(requeuing)
    assert await requeuing is False
    assert await notifier.rows("state") == [("delivered",)]


@ON_POSTGRESQL
async def test_a_message_that_is_being_queued_again_is_not_failed_by_a_late_report(
    handed_over, notifier, database, in_report_session, waits_for_a_lock
):
    [lost] = await in_report_session(DeliveryReportStore.claim_due_polls, 1)
    async with database.transaction() as session:
        assert await DeliveryReportStore(session).requeue(lost)
        late = asyncio.create_task(
            in_report_session(DeliveryReportStore.record_delivery, "kavenegar", "p-1", Delivery.FAILED)
        )
        assert await waits_for_a_lock(late)
    await late
    assert await notifier.rows("state") == [("queued",)]


async def test_a_notice_of_a_later_release_is_left_to_its_replicas_and_stops_no_other_message(notifier):
    await notifier.submit(tracking_code="123456789012")
    await notifier.update(message.c.channel == "sms", template="of_a_later_release")
    await notifier.submit(tracking_code="210987654321")
    assert await notifier.dispatch() == 1
    assert [each.text.count("210987654321") for each in notifier.sms.sent] == [1]
    assert ("of_a_later_release", "queued", 0) in await notifier.rows("template", "state", "tries")
