"""Thousands of reports in random order, each sent twice, on real servers: every case ends in its reported state."""

import json
import random
import time
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import aio_pika
import pytest
from faults.scale import TEST_SECONDS, notice_deadline, scaled
from stdnum import damm
from support.embedded_desk import wait_for
from support.real_broker import REPORT_QUEUES
from support.real_desk import RealDesk

from desk.testing.event_keys import encrypted

pytestmark = [pytest.mark.faults, pytest.mark.timeout(TEST_SECONDS)]

EXAMPLES = Path(__file__).parents[2] / "contracts" / "events"
STORY = ("case-received", "case-assigned", "case-info-requested", "case-assigned")
ENDS = {"case-answered": "answered", "case-rejected": "rejected"}
DELAYS = ("delay.5s", "delay.1m", "delay.10m", "delay.1h")
PARALLEL = 200
"""Number of reports that are published at the same time."""


def event(name: str, code: str, seq: int) -> dict[str, Any]:
    """Turn the contract's example of an event into an event about a request."""
    envelope: dict[str, Any] = json.loads((EXAMPLES / f"{name}.json").read_text(encoding="utf-8"))
    envelope |= {"id": str(uuid.uuid4()), "subject": code, "seq": seq}
    envelope["data"]["tracking_code"] = code
    envelope["data"].pop("files", None)  # intake does not know these cases, so it has no files of them
    return envelope


def code_of(number: int) -> str:
    """Return a tracking code with its check digit; a report on any other is refused at once."""
    return f"{number:011}{damm.calc_check_digit(f'{number:011}')}"


def message(envelope: dict[str, Any], user: str | None = None) -> aio_pika.Message:
    return aio_pika.Message(
        json.dumps(encrypted(envelope, "tracking")).encode(),
        content_type="application/cloudevents+json",
        delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
        message_id=envelope["id"],
        type=envelope["type"],
        user_id=user,
    )


def open_cases(desk: RealDesk, codes: Iterable[str]) -> None:
    """Publish many submissions to tracking alone, as a replay does, without applicants."""

    async def publish(channel: aio_pika.abc.AbstractChannel) -> None:
        retry = await channel.get_exchange("desk.retry", ensure=False)
        for code in codes:
            submission = message(event("request-submitted", code, 1))
            submission.headers = {"desk-exchange": "desk.events", "desk-routing-key": "request-submitted.isfahan"}
            await retry.publish(submission, "replay.tracking", mandatory=True)

    desk.broker.do(publish)


def report(desk: RealDesk, envelopes: list[dict[str, Any]]) -> None:
    """Send reports as the province, in this order."""

    async def send(channel: aio_pika.abc.AbstractChannel, part: list[dict[str, Any]]) -> None:
        cases = await channel.get_exchange("desk.cases", ensure=False)
        for each in part:
            key = f"{each['type'].split('.')[3]}.isfahan"
            await cases.publish(message(each, "province.isfahan"), key, mandatory=True)

    for start in range(0, len(envelopes), PARALLEL):
        part = envelopes[start : start + PARALLEL]
        desk.broker.do(lambda channel, part=part: send(channel, part), user="province.isfahan")


def test_duplicated_reports_in_random_order_end_in_the_right_states(clean_desk: RealDesk):
    clean_desk["notifier"].terminate()  # it would send notices about requests that it has not received
    seed = random.randrange(2**32)  # noqa: S311 - an order, not a secret
    chosen = random.Random(seed)  # noqa: S311
    ends = {code_of(number): chosen.choice(sorted(ENDS)) for number in range(scaled(2_000))}
    reports = [event(name, code, seq) for code, end in ends.items() for seq, name in enumerate([*STORY, end], start=1)]
    sent = reports * 2
    chosen.shuffle(sent)
    open_cases(clean_desk, ends)
    began = time.monotonic()

    report(clean_desk, sent)

    def applied() -> int:
        [(number,)] = clean_desk.rows("tracking", "SELECT count(*) FROM step WHERE state <> 'registered'")
        return int(number)

    def all_taken() -> bool:
        return applied() >= len(reports) and not clean_desk.broker.waiting("tracking", *REPORT_QUEUES, *DELAYS)

    wait_for(all_taken, notice_deadline(len(sent)))
    seconds = time.monotonic() - began
    print(f"{len(reports)} reports, each sent twice: applied within {seconds:.0f} s of the first")  # noqa: T201

    states = dict(clean_desk.rows("tracking", 'SELECT tracking_code, state FROM "case"'))
    assert states == {code: ENDS[end] for code, end in ends.items()}, f"seed {seed}"
    assert applied() == len(reports), f"seed {seed}"
    assert clean_desk.rows("tracking", "SELECT count(*) FROM refusal") == [(0,)], f"seed {seed}"
    dead = clean_desk.broker.waiting(*(f"{name}.dead" for name in ("tracking", *REPORT_QUEUES)))
    assert dead == {}, f"seed {seed}"
