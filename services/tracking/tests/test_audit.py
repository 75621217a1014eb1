"""Tracking's audit log: who read a request, and wrong codes beyond the free ones."""

import pytest
from sqlalchemy import select

from desk.database.audit import audit_entry


@pytest.fixture
def entries(tracking):
    async def entries():
        columns = audit_entry.c.actor, audit_entry.c.action, audit_entry.c.subject
        return [tuple(row) for row in await tracking.rows(select(*columns).order_by(audit_entry.c.at))]

    return entries


async def test_a_request_that_its_applicant_read_is_recorded(tracking, entries):
    code = await tracking.submit()
    answer = await tracking.look_up(code)

    assert answer.status_code == 200
    assert await entries() == [("applicant", "request_read", code)]


async def test_a_wrong_code_is_recorded_beyond_the_free_ones(tracking, entries, new_code, request_data):
    code = await tracking.submit()
    person = {"national_id": request_data(code)["applicant"]["national_id"]}
    proof = {"id": "proof", "solution": "right"}
    for given in ({}, {"proof": proof}):
        answer = await tracking.look_up(new_code(), **given)
        assert answer.status_code == 404

    index = tracking.parts.vault.index(person["national_id"], "national_id")
    assert await entries() == [("unknown", "wrong_code", index)]
