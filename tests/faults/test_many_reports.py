"""Thousands of reports in random order, each sent twice, on real servers: every case ends as its province told."""

import json
import random
import time
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import aio_pika
import pytest
from faults.scale import TEST_SECONDS, patience, scaled
from support.embedded_desk import wait_for
from support.real_desk import RealDesk

pytestmark = [pytest.mark.faults, pytest.mark.timeout(TEST_SECONDS)]

EXAMPLES = Path(__file__).parents[2] / "contracts" / "events"
STORY = ("case-received", "case-assigned", "case-info-requested", "case-assigned")
ENDS = {"case-answered": "answered", "case-rejected": "rejected"}
DELAYS = ("delay.5s", "delay.1m", "delay.10m", "delay.1h")
AT_ONCE = 200
"""Reports under way to the broker at the same time."""


def event(name: str, code: str, seq: int) -> dict[str, Any]:
    """Make the contract's example of an event into one about a request."""
    envelope: dict[str, Any] = json.loads((EXAMPLES / f"{name}.json").read_text(encoding="utf-8"))
    envelope |= {"id": str(uuid.uuid4()), "subject": code, "seq": seq}
    envelope["data"]["tracking_code"] = code
    return envelope


def message(envelope: dict[str, Any], user: str | None = None) -> aio_pika.Message:
    return aio_pika.Message(
        json.dumps(envelope).encode(),
        content_type="application/cloudevents+json",
        delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
        message_id=envelope["id"],
        type=envelope["type"],
        user_id=user,
    )


def open_cases(desk: RealDesk, codes: Iterable[str]) -> None:
    """Have tracking hear of so many requests at once; nobody has typed them."""

    async def tell(channel: aio_pika.abc.AbstractChannel) -> None:
        for code in codes:
            told = message(event("request-submitted", code, 1))
            await channel.default_exchange.publish(told, "tracking", mandatory=True)

    desk.broker.do(tell)


def report(desk: RealDesk, envelopes: list[dict[str, Any]]) -> None:
    """Send reports as the province, in this order."""

    async def send(channel: aio_pika.abc.AbstractChannel, part: list[dict[str, Any]]) -> None:
        cases = await channel.get_exchange("desk.cases", ensure=False)
        for each in part:
            key = f"{each['type'].split('.')[3]}.isfahan"
            await cases.publish(message(each, "province.isfahan"), key, mandatory=True)

    for start in range(0, len(envelopes), AT_ONCE):
        part = envelopes[start : start + AT_ONCE]
        desk.broker.do(lambda channel, part=part: send(channel, part), user="province.isfahan")


def test_reports_in_random_order_and_doubled_end_in_the_right_states(calm_desk: RealDesk):
    calm_desk["notifier"].terminate()  # whom nobody has told of these requests would be written to
    seed = random.randrange(2**32)  # noqa: S311 - an order, not a secret
    chosen = random.Random(seed)  # noqa: S311
    ends = {f"{number:012}": chosen.choice(sorted(ENDS)) for number in range(scaled(2_000))}
    reports = [event(name, code, seq) for code, end in ends.items() for seq, name in enumerate([*STORY, end], start=1)]
    sent = reports * 2
    chosen.shuffle(sent)
    open_cases(calm_desk, ends)
    began = time.monotonic()

    report(calm_desk, sent)

    def applied() -> int:
        [(number,)] = calm_desk.rows("tracking", "SELECT count(*) FROM step WHERE state <> 'registered'")
        return int(number)

    def all_taken() -> bool:
        return applied() >= len(reports) and not calm_desk.broker.waiting("tracking", *DELAYS)

    wait_for(all_taken, patience(len(sent)))
    seconds = time.monotonic() - began
    print(f"{len(reports)} reports, each sent twice: applied within {seconds:.0f} s of the first")  # noqa: T201

    states = dict(calm_desk.rows("tracking", 'SELECT tracking_code, state FROM "case"'))
    assert states == {code: ENDS[end] for code, end in ends.items()}, f"seed {seed}"
    assert applied() == len(reports), f"seed {seed}"
    assert calm_desk.rows("tracking", "SELECT count(*) FROM refusal") == [(0,)], f"seed {seed}"
    assert calm_desk.broker.waiting("tracking.dead") == {}, f"seed {seed}"
