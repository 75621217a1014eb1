"""Days off that headquarters has put into the catalogue."""

from datetime import UTC, date, datetime

import httpx
import pytest

from desk.tracking.domain import day_of
from desk.tracking.workers import DaysOffTask

ASKED = datetime(2026, 12, 13, 11, 0, tzinfo=UTC)
"""A Sunday; Monday and Tuesday are worked."""
MONDAY = date(2026, 12, 14)


@pytest.fixture
def announced(tracking):
    """Return a function that lets intake answer with these days off, and tracking read them."""
    task = DaysOffTask(tracking.context.terms, tracking.parts.intake)

    async def announced(response):
        tracking.peers.intake = response
        await task.read()
        tracking.peers.intake = None

    return announced


@pytest.fixture
def question_day(tracking):
    """Return a function that asks an applicant a question with a term of one working day; return its last day."""
    tracking.set_clock(ASKED)

    async def question_day():
        code = await tracking.submit()
        await tracking.report("case-info-requested", code, data={"question": "کدام؟", "answer_within_days": 1})
        return day_of((await tracking.case(code)).question_until)

    return question_day


def days_off(*days):
    return httpx.Response(200, json={"subjects": [], "holidays": [day.isoformat() for day in days]})


async def test_a_new_period_leaves_out_an_announced_day(announced, question_day):
    assert await question_day() == MONDAY
    await announced(days_off(MONDAY))
    assert await question_day() == date(2026, 12, 15)
    await announced(days_off())
    assert await question_day() == MONDAY


@pytest.mark.parametrize("response", [httpx.Response(503), httpx.Response(200, json={}), httpx.ConnectError("no")])
async def test_the_known_days_stay_while_intake_does_not_answer(announced, question_day, response):
    await announced(days_off(MONDAY))
    await announced(response)
    assert await question_day() == date(2026, 12, 15)


async def test_a_day_that_was_promised_does_not_move(tracking, announced):
    tracking.set_clock(ASKED)
    code = await tracking.submit()
    before = await tracking.case(code)
    await announced(days_off(MONDAY))
    await tracking.report("case-received", code)
    after = await tracking.case(code)
    assert (after.due_at, after.state) == (before.due_at, "received")
