"""Limits of what one identity, one recipient and one source may cause."""

import asyncio
from dataclasses import replace

import pytest

NAMES = {"first_name": "زهرا", "last_name": "رضایی", "gender": "female"}


@pytest.fixture
def database_kind():
    """Run on SQLite alone: the limits do not depend on the database."""
    return "sqlite"


@pytest.fixture
def pending(desk, zahra):
    """Return a token of an identity that the registry has not confirmed."""
    return desk.token({"sub": zahra["sub"], "birth_date": zahra["birth_date"], "status": "pending"})


async def test_one_identity_sends_no_more_than_its_limit_even_at_the_same_time(desk, problem_of):
    desk.limit_requests(per_identity="5/day")

    answers = await asyncio.gather(*(desk.submit() for _ in range(20)))

    assert sorted(answer.status_code for answer in answers) == [201] * 5 + [429] * 15
    assert await desk.count("request") == 5
    refused = problem_of(next(answer for answer in answers if answer.status_code == 429), 429)
    assert refused["code"] == "budget_exhausted"


@pytest.mark.parametrize("limit", ["per_mobile", "per_email", "per_source"])
async def test_a_recipient_and_a_source_have_limits_across_identities(desk, zahra, ali, limit):
    desk.limit_requests(**{limit: "1/day"})

    assert (await desk.submit(token=desk.token(zahra))).status_code == 201
    assert (await desk.submit(token=desk.token(ali))).status_code == 429


async def test_a_refused_submission_counts_under_no_limit(desk, zahra, ali):
    desk.limit_requests(per_mobile="1/day", per_identity="2/day")
    assert (await desk.submit(token=desk.token(zahra))).status_code == 201
    assert (await desk.submit(token=desk.token(ali))).status_code == 429
    for mobile in ("09121111111", "09122222222"):
        assert (await desk.submit(token=desk.token(ali), mobile=mobile)).status_code == 201


async def test_repeats_and_errors_are_not_counted(desk):
    desk.limit_requests(per_identity="2/day")
    form = desk.form()
    for _ in range(5):
        assert (await desk.submit(form, key="one-key-of-zahra")).status_code == 201
        assert (await desk.submit(province="nowhere")).status_code == 422
    assert (await desk.submit(again=False)).status_code == 409
    assert (await desk.submit()).status_code == 201


async def test_a_repeat_is_answered_also_when_the_limit_is_used_up(desk):
    desk.limit_requests(per_identity="1/day")
    form = desk.form()
    first = await desk.submit(form, key="one-key-of-zahra")
    assert (await desk.submit()).status_code == 429

    assert (await desk.submit(form, key="one-key-of-zahra")).json() == first.json()


async def test_requests_invented_for_a_number_do_not_use_up_its_owner_s_limit(desk, pending):
    desk.limit_requests(per_identity="2/day")
    for place in range(2):
        form = {"applicant": NAMES, "mobile": f"091200000{place:02}", "email": None}
        assert (await desk.submit(token=pending, **form)).status_code == 201
    assert (await desk.submit(token=pending, applicant=NAMES, mobile="09120000009", email=None)).status_code == 429

    assert (await desk.submit()).status_code == 201, "the confirmed person is served"


async def test_unconfirmed_requests_have_a_limit_per_source(desk, pending, problem_of):
    desk.limit_requests(pending_per_source="1/hour")
    assert (await desk.submit(token=pending, applicant=NAMES)).status_code == 201
    problem_of(await desk.submit(token=pending, applicant=NAMES), 429)
    assert (await desk.submit()).status_code == 201


@pytest.mark.parametrize("limit", ["megabytes_per_identity", "megabytes_per_source"])
async def test_the_bytes_of_uploads_are_limited_before_they_are_read(desk, pdf, limit):
    uploads = desk.app.state.services.uploads
    desk.replace_services(uploads=replace(uploads, **{limit: "8/day"}))

    assert (await desk.upload(pdf.ljust(7 * 1024 * 1024, b"\0"))).status_code == 201
    assert (await desk.upload(pdf.ljust(2 * 1024 * 1024, b"\0"))).status_code == 429
