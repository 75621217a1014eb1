"""The civil registry fails: requests are taken, wait, and are checked later, once. Row 19."""

import json
from collections.abc import Callable, Iterator
from uuid import uuid4

import httpx
import pytest
from faults.invariant import settled
from faults.scale import TEST_SECONDS
from support.embedded_desk import wait_for
from support.public_gateway import RealApplicant
from support.real_desk import RealDesk

pytestmark = [pytest.mark.faults, pytest.mark.timeout(TEST_SECONDS)]

TYPED = {"first_name": "ناشناس", "last_name": "آزمایشی", "gender": "female"}
PLACES = (50, 51, 52)
FAILURES = (
    pytest.param({"delay_seconds": 30}, id="30 s slow"),
    pytest.param({"errors": -1}, id="status 500"),
    pytest.param({"garbage": "html"}, id="garbage"),
    pytest.param({"closed": True}, id="closed"),
)


@pytest.fixture
def registry(calm_desk: RealDesk) -> Iterator[Callable[..., None]]:
    """Turn the simulated registry's knobs; what the desk knew of anybody is forgotten. Afterwards it is well."""
    calm_desk.applicants.clear()
    calm_desk.forget_redis()

    def turn(**knobs: object) -> None:
        httpx.put(f"{calm_desk['registry-simulator'].url}/control", json=knobs, timeout=10).raise_for_status()
        # Begun anew, the gateway does not remember what it thought of the registry, whose hours and pauses are long.
        calm_desk["registry-gateway"].restart(BREAKER_SECONDS="1")

    yield turn
    turn()
    calm_desk.applicants.clear()


def let_checks_be_due(desk: RealDesk) -> None:
    """Let the time of every check come."""
    desk.execute("intake", "UPDATE identity_check SET next_check_at = now() WHERE state = 'pending'")


def ends_of_checks(desk: RealDesk, state: str) -> int:
    """Count the checks that have ended so, of all replicas."""
    lines = [json.loads(line) for line in desk.new_log_lines("intake") if '"event": "identity checked"' in line]
    return sum(1 for line in lines if line["recorded"] and line["state"] == state)


@pytest.mark.parametrize("knobs", FAILURES)
def test_requests_of_a_registry_that_fails_are_checked_later_once(
    calm_desk: RealDesk, registry: Callable[..., None], knobs: dict[str, object]
):
    registry(**knobs)
    calm_desk.replicate("intake")
    codes = [calm_desk.submit(place, applicant=TYPED).code for place in PLACES]
    wait_for(lambda: ends_of_checks(calm_desk, "pending") > 0, 60)
    assert not any(calm_desk.province.of(code) for code in codes)

    registry()
    let_checks_be_due(calm_desk)
    assert settled(calm_desk) == []
    assert ends_of_checks(calm_desk, "confirmed") == len(codes)
    for place, code in zip(PLACES, codes, strict=True):
        [released] = calm_desk.province.of(code)
        assert released["data"]["applicant"]["last_name"] == calm_desk.applicant(place).person["last_name"]
        assert (released["seq"], released["data"]["identity"]) == (2, "confirmed")


def test_an_intake_that_dies_while_it_asks_leaves_nothing_undone(calm_desk: RealDesk, registry: Callable[..., None]):
    def tries() -> int:
        [(number,)] = calm_desk.rows("intake", "SELECT tries FROM identity_check")
        return int(number)

    registry(closed=True)
    code = calm_desk.submit(PLACES[0], applicant=TYPED).code
    wait_for(lambda: tries() > 0)
    registry(delay_seconds=3)
    before = tries()
    let_checks_be_due(calm_desk)
    wait_for(lambda: tries() > before)
    calm_desk["intake"].kill()
    assert not calm_desk.province.of(code)

    calm_desk["intake"].revive()
    let_checks_be_due(calm_desk)
    assert settled(calm_desk) == []
    assert len(calm_desk.province.of(code)) == 1


def test_a_wrong_birth_date_ends_the_request_and_no_province_hears_of_it(
    calm_desk: RealDesk, registry: Callable[..., None]
):
    registry(closed=True)
    applicant, key = RealApplicant(calm_desk, PLACES[0]), str(uuid4())
    applicant.person |= {"birth_date": RealApplicant(calm_desk, PLACES[1]).person["birth_date"]}
    applicant.identify()
    answer = applicant.send(applicant.form(applicant=TYPED), key)
    assert answer.status_code == 201, answer.text
    code = answer.json()["tracking_code"]
    calm_desk.note(code, key)

    registry()
    let_checks_be_due(calm_desk)
    assert "با هم نمی‌خوانند" in applicant.sees(code, "identity_rejected")["history"][-1]["note"]
    assert settled(calm_desk) == []
    assert not calm_desk.province.of(code)
