"""Tracking's audit log: who read a request, wrong codes beyond the free ones, and its term."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete, insert, select

from desk.chassis.app import HousekeepingTask
from desk.chassis.audit import chain_of
from desk.database import AuditEntry, add_audit_entry, audit_head, chain_entries
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


async def test_entries_beyond_their_term_are_deleted_while_the_service_runs(tracking, entries, monkeypatch):
    monkeypatch.setattr(HousekeepingTask, "START_SECONDS", 0.0)
    days, now = tracking.settings.audit_days, datetime.now(UTC)
    async with tracking.parts.database.transaction() as session:
        await session.execute(delete(audit_head))
        await session.execute(insert(audit_head).values(id=1, seq=0, row_hash="0" * 64, seal=""))
        for age in (days + 1, days - 1):
            await add_audit_entry(session, AuditEntry(f"applicant {age}", "request_read", at=now - timedelta(days=age)))
    await chain_entries(tracking.parts.database, chain_of(tracking.parts.vault))

    async with tracking.app.router.lifespan_context(tracking.app), asyncio.timeout(60):
        while len(found := await entries()) != 2 or "audit_pruned" not in str(found):  # noqa: ASYNC110 - a table has no event
            await asyncio.sleep(0.05)

    assert found == [(f"applicant {days - 1}", "request_read", None), ("retention", "audit_pruned", None)]
