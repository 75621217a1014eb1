"""Services killed by SIGKILL at the worst moments: rows 3, 4, 5 and 6."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from faults.invariant import settled
from faults.preludes import (
    AFTER_CONFIRM_BEFORE_MARKING,
    AFTER_EFFECT_BEFORE_ACK,
    BETWEEN_COMMIT_AND_RESPONSE,
    SHORT_CLAIMS,
    Deaths,
    sms_provider,
    until_all_died,
)
from faults.scale import FULL, TEST_SECONDS, scaled
from support.embedded_desk import wait_for
from support.real_desk import RealDesk

pytestmark = [pytest.mark.faults, pytest.mark.timeout(TEST_SECONDS)]


def test_a_retry_after_a_crash_between_commit_and_response_gets_the_same_request(
    clean_desk: RealDesk, deaths_file: Path
):
    kills = scaled(200, at_least=5)
    deaths = Deaths(deaths_file, kills)
    intake = clean_desk["intake"]
    intake.restart(deaths.at(BETWEEN_COMMIT_AND_RESPONSE))
    with ThreadPoolExecutor(1) as background:
        reviving = background.submit(until_all_died, deaths, intake)
        for place in range(kills):
            clean_desk.submit(place % 40)
        reviving.result()
    again = [clean_desk.submit(place % 40, key=sent.key) for place, sent in enumerate(clean_desk.ledger[:3])]
    assert [sent.code for sent in again] == [sent.code for sent in clean_desk.ledger[:3]]
    del clean_desk.ledger[-3:]
    assert settled(clean_desk) == []


def test_events_published_again_after_a_crash_before_marking_have_one_effect(clean_desk: RealDesk, deaths_file: Path):
    deaths = Deaths(deaths_file, scaled(50, at_least=4))
    clean_desk["intake"].restart(deaths.at(AFTER_CONFIRM_BEFORE_MARKING))
    with ThreadPoolExecutor(1) as background:
        reviving = background.submit(until_all_died, deaths, clean_desk["intake"])
        clean_desk.submit_many(scaled(200, at_least=12))
        reviving.result()
    assert settled(clean_desk) == []
    assert max(clean_desk.province.deliveries.values()) > 1, "no event was delivered twice"


@pytest.mark.parametrize(
    ("service", "besides"), [("tracking", ""), ("notifier", SHORT_CLAIMS)], ids=["tracking", "notifier"]
)
def test_events_delivered_again_after_a_crash_before_the_ack_have_one_effect(
    clean_desk: RealDesk, deaths_file: Path, service: str, besides: str
):
    deaths = Deaths(deaths_file, scaled(50, at_least=4))
    clean_desk[service].restart(besides + deaths.at(AFTER_EFFECT_BEFORE_ACK))
    clean_desk.submit_many(scaled(100, at_least=12))
    until_all_died(deaths, clean_desk[service])
    assert settled(clean_desk) == []


def test_a_notifier_killed_while_sending_sends_one_sms_per_notice(
    clean_desk: RealDesk, deaths_file: Path, tmp_path: Path
):
    taken = tmp_path / "provider"
    deaths = Deaths(deaths_file, scaled(50, at_least=4))
    clean_desk["notifier"].restart(SHORT_CLAIMS + deaths.at(sms_provider(taken)))
    sent = clean_desk.submit_many(scaled(100, at_least=6))
    until_all_died(deaths, clean_desk["notifier"])
    assert settled(clean_desk) == []
    handed_over = Counter(taken.read_text().split())
    assert len(handed_over) == len(sent), "each notice has one reference"
    assert max(handed_over.values()) > 1, "no notice was handed over again"


@pytest.mark.parametrize("service", ["intake", "tracking", "notifier"])
def test_a_graceful_stop_under_load_loses_nothing(clean_desk: RealDesk, service: str):
    with ThreadPoolExecutor(1) as background:
        load = background.submit(clean_desk.submit_many, scaled(600, at_least=30))
        for _ in range(3 if FULL else 1):
            clean_desk[service].restart()
        load.result()
    assert settled(clean_desk) == []


def test_of_two_replicas_of_every_service_one_may_crash_under_load(clean_desk: RealDesk):
    first = {name: clean_desk[name] for name in ("intake", "tracking", "notifier")}
    first["notifier"].restart(SHORT_CLAIMS)
    for name in first:
        clean_desk.replicate(name)
    with ThreadPoolExecutor(1) as background:
        load = background.submit(clean_desk.submit_many, scaled(600, at_least=40))
        wait_for(lambda: len(clean_desk.ledger) > 5)
        for each in first.values():
            each.kill()
        load.result()
    for each in first.values():
        each.start(SHORT_CLAIMS if each.name == "notifier" else "")
    assert settled(clean_desk) == []
