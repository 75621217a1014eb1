"""The broker away, killed, full, half-open, or without its bindings: rows 1, 2, 9 and 21."""

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
from faults.scale import SETTLE_SECONDS, TEST_SECONDS, patience, scaled
from support.embedded_desk import wait_for
from support.real_desk import RealDesk

pytestmark = [pytest.mark.faults, pytest.mark.timeout(TEST_SECONDS), pytest.mark.usefixtures("mended_servers")]

CONSUMERS_BACK_SECONDS = 15.0
SLACK_SECONDS = 15.0
"""What a machine that does other things too may add."""
UNSENT_METRIC = "desk_outbox_oldest_unsent_seconds"
BOUND_BY = (
    ("tracking", "request-submitted.*"),
    ("notifier", "request-submitted.*"),
    ("province.isfahan", "request-submitted.isfahan"),
)


@contextmanager
def before_the_broker(desk: RealDesk) -> Iterator[FaultProxy]:
    """Put a proxy before the broker."""
    parts = urlsplit(desk.broker.url())
    between = FaultProxy(desk.loop, str(parts.hostname), int(parts.port or 0))
    yield between
    between.close()


@pytest.fixture
def proxy(calm_desk: RealDesk) -> Iterator[FaultProxy]:
    """A proxy before the broker."""
    with before_the_broker(calm_desk) as between:
        yield between


def through(proxy: FaultProxy, url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=f"{parts.netloc.rpartition(':')[0]}:{proxy.port}").geturl()


def unsent(desk: RealDesk) -> int:
    [(number,)] = desk.rows("intake", "SELECT count(*) FROM outbox WHERE sent_at IS NULL")
    return int(number)


def until_unsent_age_shows(desk: RealDesk) -> None:
    wait_for(lambda: desk["intake"].metric(UNSENT_METRIC) > 0, 30)


def test_submissions_go_on_while_the_broker_is_stopped(calm_desk: RealDesk):
    calm_desk.rabbit.stop()
    end, ages = time.monotonic() + scaled(300, at_least=12), [0.0]
    while time.monotonic() < end:
        assert calm_desk.submit(len(calm_desk.ledger) % 40).statuses == [201]
        ages.append(calm_desk["intake"].metric(UNSENT_METRIC))
        time.sleep(0.1)
    assert max(ages) > 4, "nobody would see that events wait"
    assert unsent(calm_desk) == len(calm_desk.ledger)
    calm_desk.rabbit.start()
    wait_for(lambda: unsent(calm_desk) == 0, SETTLE_SECONDS)
    assert settled(calm_desk, seconds=patience(len(calm_desk.ledger))) == []


def test_a_broker_killed_under_load_loses_nothing(calm_desk: RealDesk):
    stop = False

    def load() -> None:
        while not stop:
            assert calm_desk.submit(len(calm_desk.ledger) % 40).statuses == [201]

    with ThreadPoolExecutor(2) as background:
        loads = [background.submit(load) for _ in range(2)]
        try:
            for _ in range(scaled(10, at_least=2)):
                time.sleep(1)
                calm_desk.rabbit.kill()
                calm_desk.rabbit.start()
                wait_for(calm_desk.is_served, CONSUMERS_BACK_SECONDS + SLACK_SECONDS)
        finally:
            stop = True
        for each in loads:
            each.result()
    assert settled(calm_desk) == []


@pytest.mark.parametrize("fault", ["cut", "hang"])
def test_a_connection_that_is_cut_or_half_open_is_found_out_and_made_anew(
    calm_desk: RealDesk, proxy: FaultProxy, fault: str
):
    for service in ("intake", "tracking"):
        calm_desk[service].restart(BROKER_URL=through(proxy, calm_desk.broker.url(service)))
    calm_desk.submit_many(5)
    assert settled(calm_desk) == []
    {"cut": proxy.cut, "hang": proxy.hang}[fault]()
    calm_desk.submit_many(5)
    until_unsent_age_shows(calm_desk)
    assert unsent(calm_desk) == 5
    proxy.heal()
    assert settled(calm_desk) == []


def test_a_broker_far_away_delays_and_loses_nothing(calm_desk: RealDesk, proxy: FaultProxy):
    proxy.delay = 0.3
    calm_desk["intake"].restart(BROKER_URL=through(proxy, calm_desk.broker.url("intake")))
    calm_desk.submit_many(10)
    assert settled(calm_desk) == []


def test_an_event_nobody_is_bound_for_stays_unsent_until_somebody_is(calm_desk: RealDesk):
    unbind(calm_desk)
    calm_desk.submit_many(5)
    until_unsent_age_shows(calm_desk)
    assert unsent(calm_desk) == 5
    assert calm_desk["intake"].metric("desk_outbox_unsent") > 0
    bind_again = calm_desk.broker.topology("apply")
    assert "bound queue tracking" in bind_again
    assert settled(calm_desk) == []


def unbind(desk: RealDesk) -> None:
    for queue, key in BOUND_BY:
        place = ("bindings", desk.name, "e", "desk.events", "q", queue)
        for binding in desk.broker.manage("GET", *place).json():
            if binding["routing_key"] == key:
                assert desk.broker.manage("DELETE", *place, binding["properties_key"]).is_success


def test_publishers_blocked_by_a_full_broker_back_off_and_lose_nothing(calm_desk: RealDesk):
    with out_of_memory(calm_desk.rabbit):
        sent = calm_desk.submit_many(scaled(200, at_least=10))
        until_unsent_age_shows(calm_desk)
        wait_for(lambda: calm_desk["intake"].metric("desk_outbox_unsent") == len(sent), 30)
        tries = wait_for(lambda: tries_of(calm_desk, at_least=2), SETTLE_SECONDS)
    assert all(sent.statuses == [201] for sent in calm_desk.ledger)
    assert tries < 20, "the relay does not back off"
    assert settled(calm_desk) == []


def tries_of(desk: RealDesk, at_least: int) -> int:
    [(tries,)] = desk.rows("intake", "SELECT max(tries) FROM outbox")
    return tries if tries >= at_least else 0


def test_wrong_credentials_are_told_once_and_tried_again(calm_desk: RealDesk):
    right = calm_desk.broker.url("tracking")
    tracking = calm_desk["tracking"]
    tracking.restart(BROKER_URL=right.replace(calm_desk.broker.passwords["tracking"], "wrong"))
    sent = calm_desk.submit()
    wait_for(lambda: told_of(calm_desk, "tracking", "wrong user or password"), 20)
    time_to_repeat = time.monotonic() + 8  # several tries
    wait_for(lambda: time.monotonic() > time_to_repeat)
    lines = told_of(calm_desk, "tracking", "wrong user or password")
    assert len(lines) == 1
    assert calm_desk.broker.passwords["tracking"] not in "".join(calm_desk.new_log_lines())
    assert calm_desk.broker.queue("tracking").consumers == 0
    assert tracking.metric("desk_broker_alive") == 0
    assert calm_desk.applicant().track(sent.code).status_code == 200, "intake is asked instead"
    tracking.restart()
    assert settled(calm_desk) == []
    assert tracking.metric("desk_broker_alive") == 1


def test_a_deleted_queue_is_told_once_and_read_again_when_it_is_back(calm_desk: RealDesk):
    assert calm_desk.broker.manage("DELETE", "queues", calm_desk.name, "notifier").is_success
    wait_for(lambda: told_of(calm_desk, "notifier", "unavailable, will retry"), 30)
    calm_desk.broker.topology("apply")
    wait_for(calm_desk.is_served, 30)
    calm_desk.submit_many(3)
    assert settled(calm_desk) == []
    assert len(told_of(calm_desk, "notifier", "unavailable, will retry")) == 1


def told_of(desk: RealDesk, service: str, words: str) -> list[str]:
    return [line for line in desk.new_log_lines(service) if words in line and json.loads(line)["level"] == "error"]
