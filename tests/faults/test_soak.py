"""Combined faults: many submissions while services and the broker are killed, again and again."""

import random
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from faults.invariant import settled
from faults.preludes import SHORT_CLAIMS
from faults.scale import TEST_SECONDS, notice_deadline, scaled
from support.embedded_desk import wait_for
from support.real_desk import RealDesk

pytestmark = [pytest.mark.faults, pytest.mark.timeout(TEST_SECONDS), pytest.mark.usefixtures("restored_servers")]

SUBMISSIONS = 20_000
SUBMISSIONS_PER_KILL = 100
EVERY_NTH_IS_THE_BROKER = 5
SERVICES = ("intake", "tracking", "notifier")


def test_many_submissions_with_kills_have_one_effect_each(clean_desk: RealDesk):
    clean_desk["notifier"].restart(SHORT_CLAIMS)
    number = scaled(SUBMISSIONS)
    finished = threading.Event()
    kills: list[str] = []

    def kill_again_and_again() -> None:
        chosen = random.Random(7)  # noqa: S311 - the same order of kills in every run, and no secret
        while not finished.is_set():
            due = (len(kills) + 1) * SUBMISSIONS_PER_KILL
            wait_for(lambda due=due: finished.is_set() or len(clean_desk.ledger) >= due, TEST_SECONDS)
            if finished.is_set():
                return
            if (len(kills) + 1) % EVERY_NTH_IS_THE_BROKER == 0:
                clean_desk.rabbit.kill()
                clean_desk.rabbit.start()
                kills.append("broker")
            else:
                name = chosen.choice(SERVICES)
                clean_desk[name].kill()
                clean_desk[name].revive()
                kills.append(name)

    with ThreadPoolExecutor(1) as background:
        killing = background.submit(kill_again_and_again)
        try:
            clean_desk.submit_many(number)
        finally:
            finished.set()
        killing.result()
    assert len(clean_desk.ledger) == number
    assert len(kills) >= number // SUBMISSIONS_PER_KILL - 1, "hardly anything was killed"
    assert {"broker", *SERVICES} <= set(kills)
    assert settled(clean_desk, seconds=notice_deadline(number)) == []
