"""The civil registry fails: requests are accepted, wait, and are checked later, once. Row 19."""

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
def registry(clean_desk: RealDesk) -> Iterator[Callable[..., None]]:
    """Set the faults of the simulated registry. Cached results are deleted; the registry works after the test."""
    clean_desk.applicants.clear()
    clean_desk.forget_redis()

    def turn(**knobs: object) -> None:
        httpx.put(f"{clean_desk['registry-simulator'].url}/control", json=knobs, timeout=10).raise_for_status()
        # After a restart the gateway does not remember failures of the registry, whose pauses are long.
        clean_desk["registry-gateway"].restart(BREAKER_SECONDS="1")

    yield turn
    turn()
    clean_desk.applicants.clear()


def let_checks_be_due(desk: RealDesk) -> None:
    """Make every check due now."""
    desk.execute("intake", "UPDATE identity_check SET next_check_at = now() WHERE state = 'pending'")


def ends_of_checks(desk: RealDesk, state: str) -> int:
    """Count the checks that have ended in a state, on all replicas."""
    lines = [json.loads(line) for line in desk.new_log_lines("intake") if '"event": "identity checked"' in line]
    return sum(1 for line in lines if line["recorded"] and line["state"] == state)


@pytest.mark.parametrize("knobs", FAILURES)
def test_requests_during_an_outage_of_the_registry_are_checked_later_once(
    clean_desk: RealDesk, registry: Callable[..., None], knobs: dict[str, object]
):
    registry(**knobs)
    clean_desk.replicate("intake")
    codes = [clean_desk.submit(place, applicant=TYPED).code for place in PLACES]
    wait_for(lambda: ends_of_checks(clean_desk, "pending") > 0, 60)
    assert not any(clean_desk.province.of(code) for code in codes)

    registry()
    let_checks_be_due(clean_desk)
    assert settled(clean_desk) == []
    assert ends_of_checks(clean_desk, "confirmed") == len(codes)
    for place, code in zip(PLACES, codes, strict=True):
        [released] = clean_desk.province.of(code)
        assert released["data"]["applicant"]["last_name"] == clean_desk.applicant(place).person["last_name"]
        assert (released["seq"], released["data"]["identity"]) == (2, "confirmed")


def test_a_crash_of_intake_during_a_check_leaves_nothing_undone(clean_desk: RealDesk, registry: Callable[..., None]):
    def attempts() -> int:
        [(number,)] = clean_desk.rows("intake", "SELECT tries FROM identity_check")
        return int(number)

    registry(closed=True)
    code = clean_desk.submit(PLACES[0], applicant=TYPED).code
    wait_for(lambda: attempts() > 0)
    registry(delay_seconds=3)
    before = attempts()
    let_checks_be_due(clean_desk)
    wait_for(lambda: attempts() > before)
    clean_desk["intake"].kill()
    assert not clean_desk.province.of(code)

    clean_desk["intake"].revive()
    let_checks_be_due(clean_desk)
    assert settled(clean_desk) == []
    assert len(clean_desk.province.of(code)) == 1


def test_a_wrong_birth_date_ends_the_request_and_no_province_receives_it(
    clean_desk: RealDesk, registry: Callable[..., None]
):
    registry(closed=True)
    applicant, key = RealApplicant(clean_desk, PLACES[0]), str(uuid4())
    applicant.person |= {"birth_date": RealApplicant(clean_desk, PLACES[1]).person["birth_date"]}
    applicant.identify()
    answer = applicant.send(applicant.form(applicant=TYPED), key)
    assert answer.status_code == 201, answer.text
    code = answer.json()["tracking_code"]
    clean_desk.note(code, key)

    registry()
    let_checks_be_due(clean_desk)
    assert "با هم نمی‌خوانند" in applicant.sees(code, "identity_rejected")["history"][-1]["note"]
    assert settled(clean_desk) == []
    assert not clean_desk.province.of(code)
