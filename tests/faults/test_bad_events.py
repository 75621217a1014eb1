"""Events out of order, duplicated, old, poisonous or unreadable, and dead letters: rows 11 to 13, and bad input."""

import json
import uuid
from pathlib import Path

import aio_pika
import pytest
from faults.invariant import settled
from faults.preludes import BEFORE_EFFECT, EVERY_EVENT_FAILS_FOR_GOOD, Deaths, until_all_died
from faults.scale import FULL, TEST_SECONDS, scaled
from support.embedded_desk import wait_for
from support.real_desk import RealDesk

from desk.testing.event_keys import encrypted

pytestmark = [pytest.mark.faults, pytest.mark.timeout(TEST_SECONDS)]

DELIVERY_LIMIT = 20
REPORTS = "reports.isfahan"
TOO_LARGE = b"x" * 10 * 1024 * 1024


def arrived(desk: RealDesk, code: str) -> None:
    wait_for(lambda: desk.rows("tracking", 'SELECT 1 FROM "case" WHERE tracking_code = $1', code), 30)


def envelope(event_id: str, code: str, **changed: object) -> bytes:
    now = "2026-11-01T08:00:00Z"
    whole = {
        "specversion": "1.0",
        "id": event_id,
        "source": "/office/isfahan",
        "type": "ir.haj.desk.case-answered.v1",
        "subject": code,
        "time": now,
        "seq": 1,
        "datacontenttype": "application/json",
        "data": {"tracking_code": code, "at": now, "text": "پاسخ"},
    }
    return json.dumps(encrypted(whole | changed, "tracking")).encode()


def test_one_poison_event_among_many_good_ones_is_dead_lettered(clean_desk: RealDesk):
    good = scaled(1000, at_least=30)
    clean_desk.submit_many(good // 2)
    clean_desk.province.send(b"{no json", "case-answered", str(uuid.uuid4()))
    clean_desk.submit_many(good - good // 2)
    assert settled(clean_desk, dead=1) == []
    assert "1" in clean_desk.broker.topology("dead-letters", "list").partition(f"{REPORTS}: ")[2]


def test_what_cannot_be_read_is_dead_lettered_and_the_consumer_goes_on(clean_desk: RealDesk):
    code = clean_desk.submit().code
    arrived(clean_desk, code)
    pid = clean_desk["tracking"].process.pid
    ids = [str(uuid.uuid4()) for _ in range(6)]
    bodies = {
        "no JSON": b"\xff\xfe not json",
        "no event": b"[1, 2]",
        "of an unknown type": envelope(ids[2], code, type="ir.haj.desk.case-sung.v1"),
        "with a missing field": envelope(ids[3], code, data={"tracking_code": code, "at": "2026-11-01T08:00:00Z"}),
        "10 MB large": TOO_LARGE,
        "of another id than its message": envelope("another", code),
    }
    for event_id, body in zip(ids, bodies.values(), strict=True):
        clean_desk.province.send(body, "case-answered", event_id)
    wait_for(lambda: clean_desk.broker.waiting(f"{REPORTS}.dead") == {f"{REPORTS}.dead": len(bodies)}, 30)
    clean_desk.province.report(code, "case-answered", 1, text="پاسخ")
    clean_desk.applicant().sees(code, "answered")
    assert settled(clean_desk, dead=len(bodies)) == []
    assert clean_desk["tracking"].process.pid == pid
    listed = clean_desk.broker.topology("dead-letters", "list", REPORTS)
    assert "پاسخ" not in listed
    assert len([line for line in listed.splitlines() if " bytes  " in line]) == len(bodies)


def test_an_event_with_an_old_seq_changes_no_state_but_is_in_the_history(clean_desk: RealDesk):
    code = clean_desk.submit().code
    arrived(clean_desk, code)
    clean_desk.province.report(code, "case-answered", 5, text="پاسخ")
    applicant = clean_desk.applicant()
    applicant.sees(code, "answered")
    clean_desk.province.report(code, "case-received", 2)
    view = applicant.sees(code, "answered", entries=3)
    assert view["state"] == "answered"
    assert settled(clean_desk) == []


def test_answers_out_of_order_and_twice_end_in_the_right_state(clean_desk: RealDesk):
    sent = clean_desk.submit_many(scaled(100, at_least=5))
    for each in sent:
        arrived(clean_desk, each.code)
    for each in sent:
        answered, received, assigned = (str(uuid.uuid4()) for _ in range(3))
        for _ in range(2):
            clean_desk.province.report(each.code, "case-answered", 3, event_id=answered, text="پاسخ")
            clean_desk.province.report(each.code, "case-received", 1, event_id=received)
            clean_desk.province.report(each.code, "case-assigned", 2, event_id=assigned)
    assert settled(clean_desk) == []
    states = clean_desk.rows("tracking", 'SELECT DISTINCT state FROM "case"')
    assert states == [("answered",)]
    steps = clean_desk.rows("tracking", "SELECT tracking_code, array_agg(state ORDER BY state) FROM step GROUP BY 1")
    assert [states for _, states in steps] == [["answered", "in_progress", "received", "registered"]] * len(sent)


def test_a_report_on_a_request_that_has_not_arrived_yet_waits_for_it(clean_desk: RealDesk):
    clean_desk["tracking"].terminate()
    code = clean_desk.submit().code
    wait_for(lambda: clean_desk.province.of(code))
    event = clean_desk.broker.do(take_first)
    clean_desk.province.report(code, "case-answered", 1, text="پاسخ")
    clean_desk["tracking"].start()
    wait_for(lambda: clean_desk.broker.waiting("delay.5s"), 30)
    clean_desk.broker.do(lambda channel: put_back(channel, event))
    clean_desk.applicant().sees(code, "answered")
    assert settled(clean_desk) == []


async def take_first(channel: aio_pika.abc.AbstractChannel) -> aio_pika.abc.AbstractIncomingMessage:
    queue = await channel.get_queue("tracking")
    message = await queue.get(timeout=10)
    assert message is not None
    await message.ack()
    return message


async def put_back(channel: aio_pika.abc.AbstractChannel, event: aio_pika.abc.AbstractIncomingMessage) -> None:
    # Into the queue alone, as an operator's replay does.
    message = aio_pika.Message(
        event.body,
        headers={"desk-exchange": event.exchange, "desk-routing-key": event.routing_key},
        message_id=event.message_id,
        type=event.type,
        content_type=event.content_type,
    )
    retry = await channel.get_exchange("desk.retry", ensure=False)
    await retry.publish(message, "replay.tracking", mandatory=True)


def test_a_consumer_in_a_crash_loop_loses_nothing(clean_desk: RealDesk, deaths_file: Path):
    deaths = Deaths(deaths_file, DELIVERY_LIMIT + 5 if FULL else 5)
    clean_desk["tracking"].restart(deaths.at(BEFORE_EFFECT))
    clean_desk.submit_many(scaled(200, at_least=10))
    until_all_died(deaths, clean_desk["tracking"])
    wait_for(clean_desk.is_served, 30)
    wait_for(lambda: not clean_desk.broker.waiting("tracking"), 60)
    clean_desk.broker.topology("dead-letters", "replay", "tracking")  # with FULL=1 some have reached the limit
    assert settled(clean_desk) == []


def test_dead_letters_replayed_twice_have_one_effect(clean_desk: RealDesk):
    clean_desk["tracking"].restart(EVERY_EVENT_FAILS_FOR_GOOD)
    number = scaled(200, at_least=10)
    clean_desk.submit_many(number)
    wait_for(lambda: clean_desk.broker.waiting("tracking.dead") == {"tracking.dead": number}, 60)
    double_dead_letters(clean_desk)
    clean_desk["tracking"].restart()
    said = clean_desk.broker.topology("dead-letters", "replay", "tracking")
    assert f"{2 * number} replayed" in said
    assert settled(clean_desk) == []


def double_dead_letters(desk: RealDesk) -> None:
    """Duplicate each dead letter, as a replay does that is interrupted between confirm and acknowledgement."""

    async def look(channel: aio_pika.abc.AbstractChannel) -> list[aio_pika.abc.AbstractIncomingMessage]:
        queue = await channel.get_queue("tracking.dead")
        found = []
        while (message := await queue.get(fail=False, timeout=10)) is not None:
            found.append(message)
        return found  # they return to the queue when the connection is closed

    found = desk.broker.do(look)

    async def add(channel: aio_pika.abc.AbstractChannel) -> None:
        dead = await channel.get_exchange("desk.dead", ensure=False)
        for each in found:
            copy = aio_pika.Message(
                each.body,
                headers=each.headers,
                message_id=each.message_id,
                type=each.type,
                content_type=each.content_type,
                user_id="tracking",
            )
            await dead.publish(copy, "tracking", mandatory=True)

    desk.broker.do(add, "tracking")
