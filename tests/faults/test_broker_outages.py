"""The broker unavailable, killed, full, half-open, or without its bindings: rows 1, 2, 9 and 21."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
from faults.alarms import out_of_memory
from faults.invariant import settled
from faults.proxy import FaultProxy
from faults.scale import SETTLE_SECONDS, TEST_SECONDS, notice_deadline, scaled
from support.embedded_desk import wait_for
from support.real_desk import RealDesk

WRONG = "another-password-of-tracking"
pytestmark = [pytest.mark.faults, pytest.mark.timeout(TEST_SECONDS), pytest.mark.usefixtures("restored_servers")]

CONSUMERS_BACK_SECONDS = 15.0
SLACK_SECONDS = 15.0
"""Seconds that a busy machine may add."""
UNSENT_METRIC = "desk_outbox_oldest_unsent_seconds"
BOUND_BY = (
    ("tracking", "request-submitted.*"),
    ("notifier", "request-submitted.*"),
    ("province.isfahan", "request-submitted.isfahan"),
)


@contextmanager
def before_the_broker(desk: RealDesk) -> Iterator[FaultProxy]:
    """Put a proxy between the desk and the broker."""
    parts = urlsplit(desk.broker.url())
    between = FaultProxy(desk.loop, str(parts.hostname), int(parts.port or 0))
    yield between
    between.close()


@pytest.fixture
def proxy(clean_desk: RealDesk) -> Iterator[FaultProxy]:
    """A proxy between the desk and the broker."""
    with before_the_broker(clean_desk) as between:
        yield between


def through(proxy: FaultProxy, url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=f"{parts.netloc.rpartition(':')[0]}:{proxy.port}").geturl()


def unsent(desk: RealDesk) -> int:
    [(number,)] = desk.rows("intake", "SELECT count(*) FROM outbox WHERE sent_at IS NULL")
    return int(number)


def until_unsent_age_shows(desk: RealDesk) -> None:
    wait_for(lambda: desk["intake"].metric(UNSENT_METRIC) > 0, 30)


def test_submissions_are_accepted_while_the_broker_is_stopped(clean_desk: RealDesk):
    clean_desk.rabbit.stop()
    end, ages = time.monotonic() + scaled(300, at_least=12), [0.0]
    while time.monotonic() < end:
        assert clean_desk.submit(len(clean_desk.ledger) % 40).statuses == [201]
        ages.append(clean_desk["intake"].metric(UNSENT_METRIC))
        time.sleep(0.1)
    assert max(ages) > 4, "the metric does not show that events wait"
    assert unsent(clean_desk) == len(clean_desk.ledger)
    clean_desk.rabbit.start()
    wait_for(lambda: unsent(clean_desk) == 0, SETTLE_SECONDS)
    assert settled(clean_desk, seconds=notice_deadline(len(clean_desk.ledger))) == []


def test_a_broker_killed_under_load_loses_nothing(clean_desk: RealDesk):
    stop = False

    def load() -> None:
        while not stop:
            assert clean_desk.submit(len(clean_desk.ledger) % 40).statuses == [201]

    with ThreadPoolExecutor(2) as background:
        loads = [background.submit(load) for _ in range(2)]
        try:
            for _ in range(scaled(10, at_least=2)):
                time.sleep(1)
                clean_desk.rabbit.kill()
                clean_desk.rabbit.start()
                wait_for(clean_desk.is_served, CONSUMERS_BACK_SECONDS + SLACK_SECONDS)
        finally:
            stop = True
        for each in loads:
            each.result()
    assert settled(clean_desk) == []


@pytest.mark.parametrize("fault", ["cut", "hang"])
def test_a_cut_or_half_open_connection_is_detected_and_replaced(clean_desk: RealDesk, proxy: FaultProxy, fault: str):
    for service in ("intake", "tracking"):
        clean_desk[service].restart(BROKER_URL=through(proxy, clean_desk.broker.url(service)))
    clean_desk.submit_many(5)
    assert settled(clean_desk) == []
    {"cut": proxy.cut, "hang": proxy.hang}[fault]()
    clean_desk.submit_many(5)
    until_unsent_age_shows(clean_desk)
    assert unsent(clean_desk) == 5
    proxy.heal()
    assert settled(clean_desk) == []


def test_a_broker_with_high_latency_delays_and_loses_nothing(clean_desk: RealDesk, proxy: FaultProxy):
    proxy.delay = 0.3
    clean_desk["intake"].restart(BROKER_URL=through(proxy, clean_desk.broker.url("intake")))
    clean_desk.submit_many(10)
    assert settled(clean_desk) == []


def test_an_event_without_a_bound_queue_stays_unsent_until_there_is_one(clean_desk: RealDesk):
    unbind(clean_desk)
    clean_desk.submit_many(5)
    until_unsent_age_shows(clean_desk)
    assert unsent(clean_desk) == 5
    assert clean_desk["intake"].metric("desk_outbox_unsent") > 0
    bind_again = clean_desk.broker.topology("apply")
    assert "bound queue tracking" in bind_again
    assert settled(clean_desk) == []


def unbind(desk: RealDesk) -> None:
    for queue, key in BOUND_BY:
        place = ("bindings", desk.name, "e", "desk.events", "q", queue)
        for binding in desk.broker.manage("GET", *place).json():
            if binding["routing_key"] == key:
                assert desk.broker.manage("DELETE", *place, binding["properties_key"]).is_success


def test_publishers_blocked_by_a_full_broker_back_off_and_lose_nothing(clean_desk: RealDesk):
    with out_of_memory(clean_desk.rabbit):
        sent = clean_desk.submit_many(scaled(200, at_least=10))
        until_unsent_age_shows(clean_desk)
        wait_for(lambda: clean_desk["intake"].metric("desk_outbox_unsent") == len(sent), 30)
        attempts = wait_for(lambda: attempts_of(clean_desk, at_least=2), SETTLE_SECONDS)
    assert all(sent.statuses == [201] for sent in clean_desk.ledger)
    assert attempts < 20, "the relay does not back off"
    assert settled(clean_desk) == []


def attempts_of(desk: RealDesk, at_least: int) -> int:
    [(attempts,)] = desk.rows("intake", "SELECT max(tries) FROM outbox")
    return attempts if attempts >= at_least else 0


def test_wrong_credentials_are_logged_once_and_retried(clean_desk: RealDesk):
    right = clean_desk.broker.url("tracking")
    tracking = clean_desk["tracking"]
    tracking.restart(BROKER_URL=right.replace(clean_desk.broker.passwords["tracking"], WRONG))
    sent = clean_desk.submit()
    wait_for(lambda: matching_log_lines(clean_desk, "tracking", "wrong user or password"), 60)
    time_to_repeat = time.monotonic() + 8  # several attempts
    wait_for(lambda: time.monotonic() > time_to_repeat)
    lines = matching_log_lines(clean_desk, "tracking", "wrong user or password")
    assert sorted(json.loads(line)["what"] for line in lines) == [
        "queue reports.east-azerbaijan and others",
        "queue tracking",
    ], "once for each of its connections"
    assert clean_desk.broker.passwords["tracking"] not in "".join(clean_desk.new_log_lines())
    assert clean_desk.broker.queue("tracking").consumers == 0
    assert tracking.metric("desk_broker_alive") == 0
    assert clean_desk.applicant().track(sent.code).status_code == 200, "intake is asked instead"
    tracking.restart()
    assert settled(clean_desk) == []
    assert tracking.metric("desk_broker_alive") == 1


def test_a_deleted_queue_is_logged_once_and_read_again_when_it_is_back(clean_desk: RealDesk):
    assert clean_desk.broker.manage("DELETE", "queues", clean_desk.name, "notifier").is_success
    wait_for(lambda: matching_log_lines(clean_desk, "notifier", "unavailable, will retry"), 30)
    clean_desk.broker.topology("apply")
    wait_for(clean_desk.is_served, 30)
    clean_desk.submit_many(3)
    assert settled(clean_desk) == []
    assert len(matching_log_lines(clean_desk, "notifier", "unavailable, will retry")) == 1


def matching_log_lines(desk: RealDesk, service: str, words: str) -> list[str]:
    return [line for line in desk.new_log_lines(service) if words in line and json.loads(line)["level"] == "error"]
