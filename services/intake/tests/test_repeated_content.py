"""The same request within a day is a question to the applicant, not a refusal."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from desk.intake.store.tables import request


async def test_the_same_request_within_a_day_must_be_confirmed(desk, problem_of):
    assert (await desk.submit(again=False)).status_code == 201

    form = desk.form(again=False)
    problem = problem_of(await desk.submit(form, key="the-second-key-of-zahra"), 409)
    assert problem["code"] == "request_repeated"
    assert await desk.count("request") == 1

    form["again"] = True  # with the same security code and the same key
    assert (await desk.submit(form, key="the-second-key-of-zahra")).status_code == 201
    assert await desk.count("request") == 2


async def test_a_retry_with_the_same_key_is_no_repetition(desk):
    form = desk.form(again=False)
    first = await desk.submit(form, key="one-key-of-zahra")
    second = await desk.submit(form, key="one-key-of-zahra")
    assert first.json()["tracking_code"] == second.json()["tracking_code"]


@pytest.mark.parametrize(
    "changed", [{"text": "متن دیگری دربارهٔ قبض."}, {"province": "fars"}, {"sub_subject": "deposit_cancel"}], ids=str
)
async def test_another_request_needs_no_confirmation(desk, changed):
    assert (await desk.submit(again=False)).status_code == 201
    assert (await desk.submit(again=False, **changed)).status_code == 201


async def test_another_applicant_s_request_needs_no_confirmation(desk, ali):
    assert (await desk.submit(again=False)).status_code == 201
    assert (await desk.submit(again=False, token=desk.token(ali))).status_code == 201


async def test_a_day_later_nothing_is_asked(desk):
    assert (await desk.submit(again=False)).status_code == 201
    async with desk.parts.database.transaction() as session:
        row = (await session.execute(request.select())).one()
        await session.execute(update(request).values(submitted_at=row.submitted_at - timedelta(days=1, seconds=1)))
    assert (await desk.submit(again=False)).status_code == 201
