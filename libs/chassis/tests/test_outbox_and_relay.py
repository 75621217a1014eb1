"""From a committed change to a published event: at least once, and never for a change that was rolled back."""

import asyncio
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError, OperationalError

from desk.chassis.bus import (
    BrokerUnavailableError,
    Bus,
    Pruning,
    QueueSpec,
    Relay,
    Topology,
    UnroutableError,
    pruning,
)
from desk.chassis.bus.embedded import EmbeddedBroker
from desk.chassis.event_tables import inbox, outbox
from desk.chassis.events import Outbox, erase_events, prune, record_in_inbox
from desk.database import Database
from desk.testing.event_keys import decrypted, decryptor_of, encryptor_for

WAITS = [1, 2, 4, 8, 15, 15, 15]


class MemoryBroker:
    """Accepts messages, raises the given error, or hangs for given ids."""

    def __init__(self):
        self.published = []
        self.error = None
        self.hangs_on = set()

    @property
    def ids(self):
        return [message.id for message in self.published]

    async def publish(self, message):
        if message.id in self.hangs_on:
            await asyncio.Event().wait()
        if self.error is not None:
            raise self.error
        self.published.append(message)


@pytest.fixture
def broker():
    return MemoryBroker()


@pytest.fixture
def relay(store, broker, telemetry):
    return Relay(store.database, store.outbox, broker, telemetry)


@pytest.fixture
def bus(store, broker, telemetry, thing_made):
    """A consumer of the same store."""

    async def keep(session, received):
        await store.add_effect(session, received.data.label)

    bus = Bus("made", store.database, broker, telemetry, decryptor_of("made"))
    bus.subscribe(thing_made, keep)
    return bus


@pytest.fixture
def gone_out(broker, until):
    """Wait until so many messages were published."""

    async def gone_out(count):
        async def enough():
            return len(broker.published) >= count

        await until(enough)

    return gone_out


@pytest.fixture
def looks(monkeypatch):
    """Count how often relays look into the outbox."""
    counted, claim = [], Outbox.claim

    async def look(self, session, limit):
        counted.append(limit)
        return await claim(self, session, limit)

    monkeypatch.setattr(Outbox, "claim", look)
    return counted


@pytest.fixture
async def running(store, relay, looks, until, monkeypatch):
    """Run the relay, which rests by now and is woken by commits alone, until the test ends."""
    monkeypatch.setattr("desk.chassis.bus.relay.POLL_SECONDS", 3600)
    store.database.after_commit.append(relay.wake)
    task = asyncio.create_task(relay.run())

    async def has_looked():
        return bool(looks)

    await until(has_looked)
    yield relay
    relay.finish()
    await asyncio.wait_for(task, 60)


async def unsent(store):
    return await store.rows(select(outbox).where(outbox.c.sent_at.is_(None)))


async def test_an_event_goes_out_once(store, relay, broker):
    event_id = await store.add_event()
    await relay.send_batch()
    await relay.send_batch()
    assert broker.ids == [event_id]


async def test_an_event_goes_to_its_exchange_under_its_name_and_key(store, relay, broker):
    await store.add_event(key="north")
    await relay.send_batch()
    [message] = broker.published
    assert (message.exchange, message.routing_key) == ("desk.events", "thing-made.north")


async def test_an_event_is_a_cloud_event_in_structured_json(store, relay, broker, thing_made):
    at = datetime(2026, 12, 13, 14, 30, 5, 999_999, tzinfo=UTC)
    async with store.database.transaction() as session:
        event = thing_made(label="اولین", made_at="2026-12-13T18:00:00+03:30")
        await store.outbox.add(session, event, subject="s-1", key="north", seq=7, time=at)
    await relay.send_batch()
    [message] = broker.published
    assert (
        decrypted(message.body, "made")
        == decrypted(message.body, "north")
        == {
            "specversion": "1.0",
            "id": message.id,
            "source": "/desk/maker",
            "type": "ir.haj.desk.thing-made.v1",
            "subject": "s-1",
            "time": "2026-12-13T14:30:05Z",
            "seq": 7,
            "datacontenttype": "application/jose+json",
            "data": {"label": "اولین", "made_at": "2026-12-13T14:30:00Z"},
        }
    )


async def test_an_event_id_is_a_random_uuid(store):
    assert uuid.UUID(await store.add_event()).version == 4


async def test_a_change_that_is_rolled_back_is_not_published(store, relay, broker, thing_made):
    async def change_and_fail():
        async with store.database.transaction() as session:
            await store.outbox.add(session, thing_made(label="never"), subject="s-1", key="north", seq=1)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await change_and_fail()
    await relay.send_batch()
    assert broker.published == []


@pytest.mark.parametrize(
    "error", [BrokerUnavailableError("unavailable"), UnroutableError("no queue"), RuntimeError("a driver")]
)
async def test_an_event_that_cannot_be_published_stays_unsent(store, relay, broker, error):
    event_id = await store.add_event()
    broker.error = error
    assert await relay.send_batch() == 0
    assert [row.id for row in await unsent(store)] == [event_id]


async def test_an_event_scheduled_for_a_retry_waits_until_it_is_due(store, relay, broker, clock):
    await store.add_event()
    broker.error = BrokerUnavailableError()
    await relay.send_batch()
    broker.error = None
    assert await relay.send_batch() == 0


async def test_an_event_scheduled_for_a_retry_is_published_when_it_is_due(store, relay, broker, clock):
    event_id = await store.add_event()
    broker.error = BrokerUnavailableError()
    await relay.send_batch()
    broker.error = None
    clock.advance(seconds=1)
    await relay.send_batch()
    assert broker.ids == [event_id]


async def test_each_failure_doubles_the_wait_up_to_15_seconds(store, relay, broker, clock):
    await store.add_event()
    broker.error = BrokerUnavailableError()
    for wait in WAITS:
        before = clock.now(UTC)
        await relay.send_batch()
        [row] = await unsent(store)
        assert before <= row.next_try_at - timedelta(seconds=wait) <= clock.now(UTC)
        clock.advance(seconds=wait)
    [row] = await unsent(store)
    assert row.tries == len(WAITS)


async def test_a_broker_that_does_not_confirm_in_time_leaves_the_event_unsent(store, relay, broker, monkeypatch):
    monkeypatch.setattr("desk.chassis.bus.relay.PUBLISH_TIMEOUT_SECONDS", 0.05)
    slow = await store.add_event("slow")
    fast = await store.add_event("fast")
    broker.hangs_on = {slow}
    assert await relay.send_batch() == 1
    assert (broker.ids, [row.id for row in await unsent(store)]) == ([fast], [slow])


async def test_events_of_an_outage_go_out_together_after_it(store, relay, broker, clock):
    broker.error = BrokerUnavailableError()
    for number in range(20):
        await store.add_event(str(number))
        await relay.send_batch()
    broker.error = None
    clock.advance(seconds=15)
    assert await relay.send_batch() == 20


async def test_a_relay_skips_the_events_that_another_has_claimed(store):
    if store.dialect == "sqlite":
        pytest.skip("SQLite has one writer at a time: BEGIN IMMEDIATE makes the second relay wait")
    first, second = await store.add_event("first"), await store.add_event("second")
    async with asyncio.timeout(60), store.database.transaction() as one, store.database.transaction() as other:
        [claimed] = await store.outbox.claim(one, limit=1)
        assert {each.id for each in await store.outbox.claim(other, limit=2)} == {first, second} - {claimed.id}


async def test_parallel_relays_publish_each_event_once(store, broker, telemetry):
    await store.publish_many(250)
    databases = [Database(store.url) for _ in range(3)]
    relays = [
        Relay(database, Outbox("/desk/maker", encryptor_for("made", "north")), broker, telemetry)
        for database in databases
    ]
    while await unsent(store):
        await asyncio.gather(*(relay.send_batch() for relay in relays))
    for database in databases:
        await database.close()
    assert len(broker.ids) == len(set(broker.ids)) == 250


async def test_an_event_whose_marking_failed_is_published_again(store, relay, broker, monkeypatch):
    event_id = await store.add_event()
    _fail_to_mark_once(monkeypatch)
    with pytest.raises(OperationalError):
        await relay.send_batch()
    await relay.send_batch()
    assert broker.ids == [event_id, event_id]


async def test_an_event_published_twice_has_one_effect(store, relay, broker, bus, monkeypatch):
    await store.add_event("once")
    _fail_to_mark_once(monkeypatch)
    with pytest.raises(OperationalError):
        await relay.send_batch()
    await relay.send_batch()
    for message in broker.published:
        await bus.handle(message)
    assert (len(broker.published), await store.labels()) == (2, ["once"])


async def test_events_sent_again_after_a_restore_have_one_effect(store, relay, broker, bus):
    await store.add_event("once")
    await relay.send_batch()
    async with store.database.transaction() as session:  # the statement of docs/operations.md
        await session.execute(update(outbox).values(sent_at=None, next_try_at=datetime.now(UTC)))
    await relay.send_batch()
    for message in broker.published:
        await bus.handle(message)
    assert len(broker.published) == 2
    assert len(set(broker.ids)) == 1
    assert await store.labels() == ["once"]


def _fail_to_mark_once(monkeypatch):
    mark_sent, failed = Outbox.mark_sent, []

    async def mark(self, session, ids):
        if not failed:
            failed.append(ids)
            raise OperationalError("UPDATE", {}, Exception("disk I/O error"))
        await mark_sent(self, session, ids)

    monkeypatch.setattr(Outbox, "mark_sent", mark)


async def test_a_body_cannot_be_read_in_the_file_before_it_is_sent_or_after(store, relay):
    event_id = await store.add_event("زهرا رضایی")
    before = await store.written()
    await relay.send_batch()
    assert event_id.encode() in before, "the test looks into the right files"
    assert "رضایی".encode() not in before + await store.written()


async def test_a_sent_event_is_deleted_after_a_day(store, relay, broker, clock):
    await store.add_event("sent")
    await relay.send_batch()
    broker.error = BrokerUnavailableError()
    waiting = await store.add_event("waiting")

    async def kept():
        async with store.database.transaction() as session:
            await prune(session, 100)
        return [row.id for row in await store.rows(select(outbox))]

    assert len(await kept()) == 2
    clock.advance(seconds=86_500)
    assert await kept() == [waiting]


async def test_an_event_for_a_receiver_without_a_key_is_not_added(store):
    with pytest.raises(KeyError, match="south"):
        await store.add_event(key="south")
    assert await store.rows(select(outbox)) == []


async def test_the_backlog_is_measured(store, relay, broker, telemetry, clock):
    await store.add_event()
    await store.add_event()
    broker.error = BrokerUnavailableError()
    clock.advance(seconds=40)
    await relay.send_batch()
    sample = telemetry.registry.get_sample_value
    assert sample("desk_outbox_unsent") == 2
    assert 40 <= sample("desk_outbox_oldest_unsent_seconds") < 60
    assert sample("desk_events_total", {"type": "ir.haj.desk.thing-made.v1", "outcome": "unsent"}) == 2


async def test_an_empty_backlog_is_measured_too(store, relay, telemetry):
    await store.add_event()
    await relay.send_batch()
    sample = telemetry.registry.get_sample_value
    assert (sample("desk_outbox_unsent"), sample("desk_outbox_oldest_unsent_seconds")) == (0, 0)
    assert sample("desk_events_total", {"type": "ir.haj.desk.thing-made.v1", "outcome": "published"}) == 1


async def test_pruning_deletes_events_received_a_week_ago(store, clock):
    async with store.database.transaction() as session:
        await record_in_inbox(session, "e-1")
    for days, left in ((6, 1), (2, 0)):
        clock.advance(days=days)
        async with store.database.transaction() as session:
            assert await prune(session, 100) == 1 - left
        assert len(await store.rows(select(inbox))) == left


async def test_pruning_never_deletes_unsent_events(store, clock):
    await store.add_event()
    clock.advance(days=400)
    async with store.database.transaction() as session:
        assert await prune(session, 100) == 0


async def test_pruning_deletes_the_oldest_events_first_in_batches(store, clock, monkeypatch):
    monkeypatch.setattr(pruning, "BATCH", 2)
    for number in range(5):
        async with store.database.transaction() as session:
            await record_in_inbox(session, f"e-{number}")
        clock.advance(seconds=1)
    clock.advance(days=8)
    task = Pruning(store.database)
    assert await task.prune_batch() == 0
    assert sorted(row.event_id for row in await store.rows(select(inbox))) == ["e-2", "e-3", "e-4"]
    assert await task.prune_batch() == 0
    assert await task.prune_batch() is None
    assert await store.rows(select(inbox)) == []


async def test_events_about_an_erased_subject_lose_their_bodies_and_are_not_sent_any_more(
    store, relay, broker, thing_made
):
    async def add(subject):
        async with store.database.transaction() as session:
            event = thing_made(label="x", made_at="2026-12-13T18:00:00+03:30")
            return await store.outbox.add(session, event, subject=subject, key="north", seq=1)

    sent, other = await add("s-1"), await add("s-2")
    await relay.send_batch()
    await add("s-1")

    async with store.database.transaction() as session:
        await erase_events(session, "s-1")

    assert {row.id: bool(row.body) for row in await store.rows(select(outbox))} == {sent: False, other: True}
    await relay.send_batch()
    assert sorted(broker.ids) == sorted([sent, other])


async def test_an_event_is_new_to_the_inbox_once(store):
    async with store.database.transaction() as session:
        assert await record_in_inbox(session, "e-1")
        assert not await record_in_inbox(session, "e-1")
        assert await record_in_inbox(session, "e-2")


async def test_a_commit_wakes_the_relay(store, running, gone_out):
    await store.add_event()
    await gone_out(1)


async def test_without_a_wake_up_the_relay_finds_events_by_polling(store, broker, telemetry, gone_out, monkeypatch):
    monkeypatch.setattr("desk.chassis.bus.relay.POLL_SECONDS", 0.01)
    relay = Relay(store.database, store.outbox, broker, telemetry)
    task = asyncio.create_task(relay.run())
    await store.add_event()
    await gone_out(1)
    relay.finish()
    await asyncio.wait_for(task, 60)


async def test_an_idle_relay_polls_rarely(store, running, looks):
    for _ in range(20):
        await store.database.ping()
    assert len(looks) == 1


async def test_a_relay_is_not_woken_by_its_own_commits(store, running, looks, until):
    await store.add_event()

    async def is_empty():
        return not await unsent(store)

    await until(is_empty)
    for _ in range(20):
        await store.database.ping()
    assert len(looks) == 2


async def test_a_full_batch_is_followed_by_the_next_at_once(store, running, gone_out):
    await store.publish_many(205)
    await gone_out(205)


async def test_a_finishing_relay_marks_the_current_batch(store, relay, broker):
    event_id = await store.add_event()
    reached, go_on = asyncio.Event(), asyncio.Event()

    async def publish(message):
        reached.set()
        await go_on.wait()
        broker.published.append(message)

    broker.publish = publish
    task = asyncio.create_task(relay.run())
    await reached.wait()
    relay.finish()
    go_on.set()
    await asyncio.wait_for(task, 60)
    assert (broker.ids, await unsent(store)) == ([event_id], [])


async def test_an_error_of_the_store_ends_the_run_and_reaches_the_supervisor(store, relay):
    async with store.database.engine.begin() as connection:
        await connection.run_sync(outbox.drop)
    with pytest.raises(DBAPIError):
        await relay.run()


async def test_an_event_reaches_a_consumer_through_outbox_broker_and_inbox(store, vault, telemetry, thing_made, until):
    topology = Topology(("desk.events",), (QueueSpec("made", (("desk.events", "thing-made.*"),)),))
    broker = EmbeddedBroker(f"sqlite+aiosqlite:///{store.folder / 'broker.db'}", topology, vault)
    await broker.open()

    async def keep(session, received):
        await store.add_effect(session, received.data.label)

    bus = Bus("made", store.database, broker, telemetry, decryptor_of("made"))
    bus.subscribe(thing_made, keep)
    await bus.start()
    await store.add_event("whole way")
    await Relay(store.database, store.outbox, broker, telemetry).send_batch()

    async def has_come():
        return await store.labels() == ["whole way"]

    await until(has_come)
    await bus.stop()
    await broker.close()


async def test_unsent_rows_are_found_by_their_own_index(store):
    await store.publish_many(2000)
    unsent = select(outbox).where(outbox.c.sent_at.is_(None), outbox.c.next_try_at <= datetime.now(UTC))
    query = unsent.order_by(outbox.c.next_try_at).limit(100)
    statement = query.compile(store.database.engine.sync_engine, compile_kwargs={"literal_binds": True})
    explain = {"sqlite": "EXPLAIN QUERY PLAN", "postgresql": "EXPLAIN"}[store.dialect]
    plan = await store.rows(text(f"{explain} {statement}"))
    assert "ix_outbox_unsent" in str(plan)


async def test_a_plan_that_is_cached_from_when_a_table_was_empty_uses_its_index(postgres_url):
    database = Database(postgres_url)
    async with database.transaction() as session:
        await session.execute(text("CREATE TEMPORARY TABLE young (id VARCHAR PRIMARY KEY)"))
        looking = text("SELECT id FROM young WHERE id = :id")
        for number in range(10):  # after five the server may cache a plan
            await session.execute(looking, {"id": str(number)})
        cached = text("SELECT sum(generic_plans) FROM pg_prepared_statements WHERE statement LIKE 'SELECT id%'")
        assert (await session.execute(cached)).scalar_one() > 0
        plan = (await session.execute(text("EXPLAIN SELECT id FROM young WHERE id = '1'"))).scalars().all()
        assert "young_pkey" in str(plan)
    await database.close()
