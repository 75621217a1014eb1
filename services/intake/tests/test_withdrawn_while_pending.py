"""A request can be withdrawn until its applicant is looked up: exactly one of the two takes effect."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest

from desk.chassis.bus import ContractError

pytestmark = pytest.mark.usefixtures("no_checks_in_the_background")

PENDING = {"sub": "0013542419", "birth_date": "1361-12-05", "status": "pending", "id_kind": "national_id"}
TYPED = {"first_name": "زهره", "last_name": "رضائی", "gender": "female"}
MATCHED = {"outcome": "matched", "first_name": "زهرا", "last_name": "رضایی‌نژاد", "gender": "female"}
WITHDRAWN = "request-pending-withdrawn"


@pytest.fixture
async def code(desk):
    """A request with a pending identity."""
    answer = await desk.submit(applicant=TYPED, token=desk.token(PENDING))
    assert answer.status_code == 201, answer.text
    return answer.json()["tracking_code"]


@pytest.fixture
def check(desk, identity_check):
    """Make the next check due, and check once; False if there is none."""

    async def check():
        await desk.change("UPDATE identity_check SET next_check_at = '2026-01-01 00:00:00.000000'")
        return await identity_check().check_next()

    return check


async def published_events(desk, count):
    return [json.loads(message.body)["type"].split(".")[3] for message in await desk.events(count)]


async def states(desk, code):
    period = {"since": "2020-01-01T00:00:00Z", "until": (datetime.now(UTC) + timedelta(minutes=1)).isoformat()}
    [listed] = (await desk.client.post("/internal/requests/codes", json=period)).json()["requests"]
    form = {"national_id": PENDING["sub"], "tracking_code": code}
    found = (await desk.client.post("/internal/requests/find", json=form)).json()
    assert listed["tracking_code"] == found["tracking_code"] == code
    return {listed["state"], found["state"]}


async def test_a_withdrawal_prevents_the_look_up_and_its_event(desk, code, check):
    await desk.publish_from_tracking(WITHDRAWN, code)

    assert not await check()
    assert desk.registry.asked == []
    assert await published_events(desk, 1) == ["request-pending"]
    assert await states(desk, code) == {"withdrawn"}


async def test_a_repeated_withdrawal_changes_nothing(desk, code, check):
    for _ in range(2):
        await desk.publish_from_tracking(WITHDRAWN, code)

    assert await desk.select("SELECT state FROM identity_check") == [("withdrawn",)]


@pytest.mark.parametrize("answer", [MATCHED, {"outcome": "not_matched"}, {"outcome": "unavailable"}], ids=str)
async def test_a_withdrawal_during_a_look_up_discards_its_result(desk, code, check, answer):
    desk.registry.answer = answer
    desk.registry.hold.clear()
    slow = asyncio.create_task(check())
    async with asyncio.timeout(60):
        while not desk.registry.asked:  # noqa: ASYNC110 - a list has no event to wait for
            await asyncio.sleep(0.01)
    await desk.publish_from_tracking(WITHDRAWN, code)
    desk.registry.hold.set()
    await slow

    assert await desk.select("SELECT state FROM identity_check") == [("withdrawn",)]
    assert await desk.count("outbox") == 1, "only that it was pending"
    assert not await check()


@pytest.mark.parametrize(
    ("outcome", "event", "state"),
    [
        ("matched", "request-submitted", "registered"),
        ("not_matched", "request-identity-rejected", "identity_rejected"),
    ],
)
async def test_a_withdrawal_after_the_look_up_changes_nothing(desk, code, check, outcome, event, state):  # noqa: PLR0917 - three fixtures, three values
    desk.registry.answer = MATCHED | {"outcome": outcome}
    await check()
    before = await desk.select("SELECT * FROM identity_check")

    await desk.publish_from_tracking(WITHDRAWN, code)

    assert await desk.select("SELECT * FROM identity_check") == before
    assert await published_events(desk, 2) == ["request-pending", event]
    assert await states(desk, code) == {state}


async def test_a_simultaneous_look_up_and_withdrawal_have_one_outcome(desk, code, check):
    desk.registry.answer = MATCHED

    await asyncio.gather(check(), desk.publish_from_tracking(WITHDRAWN, code))

    [(state,)] = await desk.select("SELECT state FROM identity_check")
    assert (state, await desk.count("outbox")) in {("withdrawn", 1), ("confirmed", 2)}


async def test_a_withdrawal_does_not_change_the_submitted_request(desk, code):
    before = await desk.select("SELECT * FROM request")

    await desk.publish_from_tracking(WITHDRAWN, code)

    assert await desk.select("SELECT * FROM request") == before


async def test_a_request_that_was_never_pending_is_unchanged(desk):
    code = (await desk.submit()).json()["tracking_code"]

    await desk.publish_from_tracking(WITHDRAWN, code)

    assert await desk.count("identity_check") == 0


async def test_a_withdrawal_of_an_unknown_request_violates_the_contract(desk):
    with pytest.raises(ContractError):
        await desk.publish_from_tracking(WITHDRAWN, "000000000000")
