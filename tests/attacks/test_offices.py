"""An office that publishes too much, or what no handler can read: rows 9 and 10."""

import asyncio
import json
import uuid
from collections.abc import Callable
from typing import Any

import aio_pika
import httpx
import pytest
from aio_pika.exceptions import ChannelInvalidStateError, DeliveryError
from aiormq.exceptions import AMQPError
from attacks.attacked_desk import AttackedDesk
from faults.scale import FULL
from support.embedded_desk import wait_for

from desk.chassis.bus.rabbit.layout import UNTRUSTED_DEAD_LENGTH
from desk.chassis.bus.rabbit.wire import DIED_OF
from desk.testing.event_keys import encrypted

pytestmark = pytest.mark.attacks

QUEUE, DEAD = "reports.isfahan", "reports.isfahan.dead"
DELAYS = ("delay.5s", "delay.1m", "delay.10m", "delay.1h")
BROKEN_REPORTS = 100_000 if FULL else 2_000
AT_ONCE, PER_CONNECTION = 500, 5_000
MEGABYTE = 1024 * 1024


@pytest.fixture(autouse=True)
def _empty_queues(desk: AttackedDesk) -> None:
    desk.services.broker.purge()


@pytest.fixture
def case(desk: AttackedDesk) -> str:
    """The tracking code of a request that has reached Isfahan."""
    code = desk.person().submit()
    wait_for(lambda: desk.services.rows("tracking", 'SELECT 1 FROM "case" WHERE tracking_code = $1', code))
    return code


def publish_many(  # noqa: PLR0917 - the parts of a message
    desk: AttackedDesk, user: str, exchange: str, key: str, bodies: list[bytes], sender: str | None = None
) -> None:
    """Publish messages as a user of the broker, many at the same time."""

    async def send(channel: aio_pika.abc.AbstractChannel, part: list[bytes]) -> None:
        target = await channel.get_exchange(exchange, ensure=False)

        def message(body: bytes) -> aio_pika.Message:
            return aio_pika.Message(body, message_id=str(uuid.uuid4()), user_id=sender, delivery_mode=2)

        for start in range(0, len(part), AT_ONCE):
            await asyncio.gather(*(target.publish(message(it), key) for it in part[start : start + AT_ONCE]))

    for begin in range(0, len(bodies), PER_CONNECTION):
        part = bodies[begin : begin + PER_CONNECTION]
        desk.services.broker.do(lambda channel, part=part: send(channel, part), user)


def throttled(desk: AttackedDesk, queue: str) -> float:
    """Return how many events of a queue the replicas of tracking have throttled."""
    wanted = f'desk_events_throttled_total{{queue="{queue}"}}'
    lines = [
        line
        for each in desk.services.replicas["tracking"]
        for line in httpx.get(f"{each.health_url}/metrics", trust_env=False).text.splitlines()
    ]
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(wanted))


def dead_letters(desk: AttackedDesk) -> dict[str, str]:
    """Return the reason of each dead letter of Isfahan by the id of its message."""

    async def read(channel: aio_pika.abc.AbstractChannel) -> dict[str, str]:
        queue, found = await channel.get_queue(DEAD), {}
        while (message := await queue.get(fail=False, timeout=10)) is not None:
            found[message.message_id or ""] = str(message.headers.get(DIED_OF, ""))
        return found  # they return to the queue when the connection is closed

    return desk.services.broker.do(read)


# row 9


def test_row_9_an_office_that_floods_is_throttled_alone_and_named(desk: AttackedDesk):
    applicant = desk.person()
    code = applicant.submit(province="qom")
    wait_for(lambda: desk.qom.of(code))
    before = {queue: throttled(desk, queue) for queue in (QUEUE, "reports.qom")}

    publish_many(desk, "province.isfahan", "desk.cases", "case-answered.isfahan", [b"{broken"] * BROKEN_REPORTS)
    desk.qom.report(code, "case-answered", 1, text="پاسخ قم")

    assert applicant.sees(code, "answered")["answer"]["text"] == "پاسخ قم"
    assert desk.services.broker.waiting(QUEUE), "the flood is not over"
    assert wait_for(lambda: throttled(desk, QUEUE) > before[QUEUE], 30)
    assert throttled(desk, "reports.qom") == before["reports.qom"]
    named = [line for line in desk.services.new_log_lines("tracking") if "is throttled" in line]
    assert named
    assert all(f'"queue": "{QUEUE}"' in line for line in named)


def test_row_9_the_dead_letters_of_an_office_are_bounded_and_do_not_stop_it(desk: AttackedDesk, case: str):
    number = UNTRUSTED_DEAD_LENGTH + 1_000
    publish_many(desk, "tracking", "desk.dead", QUEUE, [b"{broken"] * number, "tracking")
    assert wait_for(lambda: desk.services.broker.waiting(DEAD) == {DEAD: UNTRUSTED_DEAD_LENGTH})

    publish_many(desk, "province.isfahan", "desk.cases", "case-answered.isfahan", [b"{broken"] * 20)
    desk.services.province.report(case, "case-received", 1)

    wait_for(lambda: desk.services.rows("tracking", "SELECT 1 FROM \"case\" WHERE state = 'received'"), 60)
    assert desk.services.broker.waiting(DEAD) == {DEAD: UNTRUSTED_DEAD_LENGTH}


# row 10


def report(code: str, **changed: object) -> dict[str, Any]:
    now = "2026-11-29T08:00:00Z"
    return {
        "specversion": "1.0",
        "id": str(uuid.uuid4()),
        "source": "/office/isfahan",
        "type": "ir.haj.desk.case-answered.v1",
        "subject": code,
        "time": now,
        "seq": 1,
        "datacontenttype": "application/json",
        "data": {"tracking_code": code, "at": now, "text": "پاسخ"},
    } | changed


def with_data(code: str, **changed: object) -> dict[str, Any]:
    whole = report(code)
    return whole | {"data": whole["data"] | changed}


WRONG: dict[str, Callable[[str], dict[str, Any]]] = {
    "a NUL in the id": lambda code: report(code, id=f"{uuid.uuid4()}\0"),
    "a NUL in the subject": lambda code: report(code, subject=f"{code}\0"),
    "a NUL in the source": lambda code: report(code, source="/office/isfahan\0"),
    "a lone surrogate in the text": lambda code: with_data(code, text="پاسخ \ud800"),
    "a text of 700 KB": lambda code: with_data(code, text="x" * 700_000),
    "a subject of 100 KB": lambda code: report(code, subject="1" * 100_000),
    "an unknown type": lambda code: report(code, type="ir.haj.desk.case-sung.v1"),
    "an event of the desk": lambda code: report(code, type="ir.haj.desk.request-submitted.v1"),
} | {
    f"{field} is {json.dumps(value)}": lambda code, field=field, value=value: report(code, **{field: value})
    for field in ("id", "source", "type", "subject", "time", "seq", "data")
    for value in (None, [], {}, True, 1.5, -1)
    if not (field == "seq" and value is True)
}


def test_row_10_what_no_handler_can_read_is_dead_lettered_at_once_with_a_reason(desk: AttackedDesk, case: str):
    bodies = {name: wrong(case) for name, wrong in WRONG.items()}
    raw = {name: (str(body["id"]), json.dumps(encrypted(body, "tracking")).encode()) for name, body in bodies.items()}
    raw["deep JSON"] = ("deep", b'{"data":' + b"[" * 100_000 + b"]" * 100_000 + b"}")
    raw["2 MB"] = ("large", b"x" * 2 * MEGABYTE)
    raw["bytes that are no UTF-8"] = ("bytes", b"\xff\xfe\x00")
    raw["clear data"] = ("clear", json.dumps(report(case, id="clear")).encode())
    raw["data for another receiver"] = ("foreign", json.dumps(encrypted(report(case, id="foreign"), "qom")).encode())
    moved = encrypted(report(case), "tracking") | {"id": "moved"}
    raw["data of another event"] = ("moved", json.dumps(moved).encode())
    zipped = encrypted(report(case, id="zipped"), "tracking")
    zipped["data"] |= {"unprotected": {"zip": "DEF"}}
    raw["compressed data"] = ("zipped", json.dumps(zipped).encode())
    raw["another id than its message's"] = ("another", json.dumps(report(case)).encode())
    for event_id, body in raw.values():
        desk.services.province.send(body, "case-answered", event_id[:200])

    ids = {event_id[:200] for event_id, _ in raw.values()}
    wait_for(lambda: dead_letters(desk).keys() >= ids, 30)

    assert desk.services.broker.waiting(QUEUE, *DELAYS) == {}, "no retry"
    reasons = dead_letters(desk)
    assert all(reason for message_id, reason in reasons.items() if message_id != "large"), reasons
    assert desk.services.rows("tracking", 'SELECT state, report_seq FROM "case" WHERE tracking_code = $1', case) == [
        ("registered", 0)
    ]
    desk.services.province.report(case, "case-received", 1)
    query = "SELECT 1 FROM \"case\" WHERE tracking_code = $1 AND state = 'received'"
    assert wait_for(lambda: desk.services.rows("tracking", query, case))


def test_row_10_forged_senders_and_headers_change_nothing(desk: AttackedDesk, case: str):
    forged = report(case, source="/office/qom")
    headers = {"desk-exchange": "desk.events", "desk-sender": "intake", "desk-tries": "0"}
    submission = report(case, type="ir.haj.desk.request-identity-rejected.v1") | {
        "data": {"tracking_code": case, "at": "2026-11-29T08:00:00Z", "reason": "not_matched"}
    }
    desk.services.province.send(json.dumps(encrypted(forged, "tracking")).encode(), "case-answered", forged["id"])
    desk.services.province.send(
        json.dumps(encrypted(submission, "tracking")).encode(), "case-answered", submission["id"], headers
    )

    query = "SELECT 1 FROM refusal WHERE event_id = $1"
    wait_for(lambda: desk.services.rows("tracking", query, forged["id"]))
    wait_for(lambda: submission["id"] in dead_letters(desk))
    assert desk.services.rows("tracking", 'SELECT state FROM "case" WHERE tracking_code = $1', case) == [
        ("registered",)
    ]


@pytest.mark.parametrize(
    ("exchange", "key"),
    [
        ("desk.cases", "case-answered.isfahan"),
        ("desk.events", "request-submitted.qom"),
        ("desk.retry", "replay.tracking"),
        ("desk.dead", "tracking"),
        ("desk.delay", "5s.tracking"),
        ("", "tracking"),
    ],
)
def test_row_10_the_broker_lets_an_office_publish_only_its_own_reports(desk: AttackedDesk, exchange: str, key: str):
    async def publish(channel: aio_pika.abc.AbstractChannel) -> None:
        target = await channel.get_exchange(exchange, ensure=False) if exchange else channel.default_exchange
        await target.publish(aio_pika.Message(b"{}", message_id=str(uuid.uuid4())), key, mandatory=True)

    with pytest.raises((AMQPError, DeliveryError, ChannelInvalidStateError)):
        desk.services.broker.do(publish, "province.qom")


def test_row_10_the_broker_refuses_an_office_that_claims_to_be_another_user(desk: AttackedDesk):
    with pytest.raises((AMQPError, DeliveryError, ChannelInvalidStateError)):
        publish_many(desk, "province.qom", "desk.cases", "case-answered.qom", [b"{}"], "province.isfahan")
