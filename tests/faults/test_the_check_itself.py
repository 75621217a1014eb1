"""The checks can fail: four ways to break the relay or the inbox, each of which must violate an invariant."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from faults.invariant import is_loss_or_double, settled
from faults.preludes import (
    AFTER_EFFECT_BEFORE_ACK,
    COMMITS_OUT_OF_ORDER,
    MARKING_BEFORE_THE_CONFIRM,
    NO_INBOX,
    POLLING_BY_CURSOR,
    WITHOUT_MANDATORY,
    Deaths,
    until_all_died,
)
from faults.scale import TEST_SECONDS, scaled
from faults.test_broker_outages import before_the_broker, through, unbind
from support.embedded_desk import wait_for
from support.real_desk import RealDesk

pytestmark = [pytest.mark.faults, pytest.mark.timeout(TEST_SECONDS), pytest.mark.usefixtures("restored_servers")]

ENOUGH_SECONDS = 8.0


@dataclass(frozen=True, slots=True)
class Experiment:
    """A service, a mutation that breaks it, and the fault under which that shows."""

    service: str
    mutation: str
    fault: Callable[[RealDesk, str, Path], None]


def deliver_again(desk: RealDesk, mutation: str, deaths_file: Path) -> None:
    """Consumers crash between effect and acknowledgement."""
    deaths = Deaths(deaths_file, 3)
    # The killing prelude reads the result of the inbox check, so it must wrap the mutation.
    desk["tracking"].restart(mutation + deaths.at(AFTER_EFFECT_BEFORE_ACK))
    desk.submit_many(10)
    until_all_died(deaths, desk["tracking"])


def cut_off_the_broker(desk: RealDesk, mutation: str, _: Path) -> None:
    """Requests come in while the broker cannot be reached."""
    with before_the_broker(desk) as proxy:
        desk["intake"].restart(mutation, BROKER_URL=through(proxy, desk.broker.url("intake")))
        proxy.cut()
        desk.submit_many(10)
        wait_for(lambda: looked_at_all(desk), 60)
    desk["intake"].restart(mutation)


def unbind_and_bind(desk: RealDesk, mutation: str, _: Path) -> None:
    """Requests arrive while no queue is bound for them."""
    desk["intake"].restart(mutation)
    unbind(desk)
    desk.submit_many(10)
    wait_for(lambda: looked_at_all(desk), 60)
    desk.broker.topology("apply")


def looked_at_all(desk: RealDesk) -> bool:
    """Return whether the relay has attempted every event: it will retry, or believes that the event was sent."""
    return desk.rows("intake", "SELECT 1 FROM outbox WHERE tries = 0 AND sent_at IS NULL") == []


def commit_out_of_order(desk: RealDesk, mutation: str, _: Path) -> None:
    """Let transactions that began first commit last."""
    desk["intake"].restart(mutation + COMMITS_OUT_OF_ORDER)
    desk.submit_many(scaled(600, at_least=30), parallel=6)


EXPERIMENTS = {
    "no inbox check": Experiment("tracking", NO_INBOX, deliver_again),
    "marking before the confirm": Experiment("intake", MARKING_BEFORE_THE_CONFIRM, cut_off_the_broker),
    "without mandatory": Experiment("intake", WITHOUT_MANDATORY, unbind_and_bind),
    "polling by cursor": Experiment("intake", POLLING_BY_CURSOR, commit_out_of_order),
}


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_a_broken_relay_or_inbox_is_detected(clean_desk: RealDesk, deaths_file: Path, name: str):
    experiment = EXPERIMENTS[name]
    experiment.fault(clean_desk, experiment.mutation, deaths_file)
    wrong = settled(clean_desk, seconds=ENOUGH_SECONDS)
    assert any(map(is_loss_or_double, wrong)), f"no violation was found: {wrong}"


def test_commits_out_of_order_do_not_harm_the_unchanged_desk(clean_desk: RealDesk, deaths_file: Path):
    commit_out_of_order(clean_desk, "", deaths_file)  # the other faults have their own tests
    assert settled(clean_desk) == []
