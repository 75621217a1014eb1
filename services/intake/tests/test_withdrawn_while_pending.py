"""A request that is taken back before its applicant was looked up ends there: exactly one of the two comes first."""

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
    """A request of somebody the registry has not named."""
    answer = await desk.submit(applicant=TYPED, token=desk.token(PENDING))
    assert answer.status_code == 201, answer.text
    return answer.json()["tracking_code"]


@pytest.fixture
def check(desk, identity_check):
    """Let the time of the next check come, and check once; False if none was to be made."""

    async def check():
        await desk.change("UPDATE identity_check SET next_check_at = '2026-01-01 00:00:00.000000'")
        return await identity_check().check_next()

    return check


async def announced(desk, count):
    return [json.loads(message.body)["type"].split(".")[3] for message in await desk.events(count)]


async def states(desk, code):
    period = {"since": "2020-01-01T00:00:00Z", "until": (datetime.now(UTC) + timedelta(minutes=1)).isoformat()}
    [listed] = (await desk.client.post("/internal/requests/codes", json=period)).json()["requests"]
    form = {"national_id": PENDING["sub"], "tracking_code": code}
    found = (await desk.client.post("/internal/requests/find", json=form)).json()
    assert listed["tracking_code"] == found["tracking_code"] == code
    return {listed["state"], found["state"]}


async def test_nobody_is_looked_up_and_nothing_announced_after_a_withdrawal(desk, code, check):
    await desk.hear(WITHDRAWN, code)

    assert not await check()
    assert desk.registry.asked == []
    assert await announced(desk, 1) == ["request-pending"]
    assert await states(desk, code) == {"withdrawn"}


async def test_a_withdrawal_told_twice_is_one(desk, code, check):
    for _ in range(2):
        await desk.hear(WITHDRAWN, code)

    assert await desk.select("SELECT state FROM identity_check") == [("withdrawn",)]


@pytest.mark.parametrize("answer", [MATCHED, {"outcome": "not_matched"}, {"outcome": "unavailable"}], ids=str)
async def test_a_look_up_that_a_withdrawal_overtakes_comes_to_nothing(desk, code, check, answer):
    desk.registry.answer = answer
    desk.registry.hold.clear()
    slow = asyncio.create_task(check())
    async with asyncio.timeout(10):
        while not desk.registry.asked:  # noqa: ASYNC110 - a list has no event to wait for
            await asyncio.sleep(0.01)
    await desk.hear(WITHDRAWN, code)
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
async def test_a_withdrawal_that_comes_after_the_look_up_changes_nothing_here(desk, code, check, outcome, event, state):  # noqa: PLR0917 - three fixtures, three values
    desk.registry.answer = MATCHED | {"outcome": outcome}
    await check()
    before = await desk.select("SELECT * FROM identity_check")

    await desk.hear(WITHDRAWN, code)

    assert await desk.select("SELECT * FROM identity_check") == before
    assert await announced(desk, 2) == ["request-pending", event]
    assert await states(desk, code) == {state}


async def test_a_look_up_and_a_withdrawal_at_once_have_one_outcome(desk, code, check):
    desk.registry.answer = MATCHED

    await asyncio.gather(check(), desk.hear(WITHDRAWN, code))

    [(state,)] = await desk.select("SELECT state FROM identity_check")
    assert (state, await desk.count("outbox")) in {("withdrawn", 1), ("confirmed", 2)}


async def test_the_submitted_request_stays_as_it_was_sent(desk, code):
    before = await desk.select("SELECT * FROM request")

    await desk.hear(WITHDRAWN, code)

    assert await desk.select("SELECT * FROM request") == before


async def test_a_request_that_never_was_pending_is_not_touched(desk):
    code = (await desk.submit()).json()["tracking_code"]

    await desk.hear(WITHDRAWN, code)

    assert await desk.count("identity_check") == 0


async def test_a_withdrawal_of_a_request_intake_has_not_taken_can_never_be_handled(desk):
    with pytest.raises(ContractError):
        await desk.hear(WITHDRAWN, "000000000000")
