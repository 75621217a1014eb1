"""Applicants who live abroad may give a number of another country, and are reached by email."""

import pytest

from desk.testing.event_keys import decrypted


@pytest.fixture
def database_kind():
    """Run on SQLite alone: what these tests check does not depend on the database."""
    return "sqlite"


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("+49 151 2345-6789", "+4915123456789"),
        ("0049 (151) 23456789", "+4915123456789"),
        ("+۱ ۲۰۲ ۵۵۵ ۰۱۸۴", "+12025550184"),
        ("09123456789", "+989123456789"),
    ],
)
async def test_a_number_abroad_is_stored_in_e164(desk, typed, stored):
    answer = await desk.submit(abroad=True, mobile=typed)

    assert answer.status_code == 201, answer.text
    [event] = await desk.events()
    assert decrypted(event.body, "tracking")["data"]["contact"]["mobile"] == stored


@pytest.mark.parametrize("typed", ["+49", "15123456789", "+982188776655", "+0491512345678", "", "+4915123456789123456"])
async def test_anything_else_is_refused_at_the_field(desk, problem_of, typed):
    problem = problem_of(await desk.submit(abroad=True, mobile=typed), 422)

    assert [error["field"] for error in problem["errors"]] == ["mobile"]


async def test_a_number_abroad_needs_the_statement_and_an_email(desk, problem_of):
    problem = problem_of(await desk.submit(mobile="+4915123456789"), 422)
    assert [error["field"] for error in problem["errors"]] == ["mobile"]

    problem = problem_of(await desk.submit(abroad=True, mobile="+4915123456789", email=None), 422)
    assert [(error["field"], error["code"]) for error in problem["errors"]] == [("email", "email_needed_abroad")]
