"""Intake's audit log: files that were downloaded, assertions that were refused, and its term."""

import asyncio
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete, insert

from desk.chassis.app import HousekeepingTask
from desk.chassis.audit import chain_of
from desk.chassis.crypto import TokenIssuer
from desk.chassis.telemetry import Telemetry
from desk.database import AuditEntry, add_audit_entry, audit_head, chain_entries
from desk.intake.app import create_app


@pytest.fixture
def entries(desk):
    async def entries():
        return await desk.select("SELECT actor, action, subject, about FROM audit_entry ORDER BY at")

    return entries


@pytest.fixture
def assertion(province_private_keys):
    def assertion(province="isfahan", **claims):
        issuer = TokenIssuer(province_private_keys["isfahan"], province)
        return issuer.issue(claims, audience="desk.files", seconds=60)[0]

    return assertion


@pytest.fixture
async def submitted(desk):
    """A file and the tracking code of its request."""
    file_id = await desk.attachment()
    answer = await desk.submit(attachments=[file_id])
    return file_id, answer.json()["tracking_code"]


async def test_a_file_that_an_office_downloads_is_recorded(desk, entries, submitted, assertion):
    file_id, code = submitted
    headers = {"Authorization": f"Bearer {assertion()}"}

    answer = await desk.client.get(f"/api/office/files/{file_id}", headers=headers)

    assert answer.status_code == 200
    assert await entries() == [("office isfahan", "file_read", code, f"file {file_id}")]


async def test_a_file_that_the_applicant_downloads_is_recorded(desk, entries, submitted, tracking_private_key):
    file_id, code = submitted
    token = TokenIssuer(tracking_private_key, "tracking").issue({"sub": code}, audience="desk.tracking", seconds=60)[0]

    answer = await desk.client.get(f"/api/files/{file_id}", headers={"Authorization": f"Bearer {token}"})

    assert answer.status_code == 200
    assert await entries() == [("applicant", "file_read", code, f"file {file_id}")]


async def test_a_refused_assertion_is_recorded_without_what_it_claims(desk, entries, submitted, assertion):
    file_id, _ = submitted
    headers = {"Authorization": f"Bearer {assertion('qom')}"}

    answer = await desk.client.get(f"/api/office/files/{file_id}", headers=headers)

    assert answer.status_code == 401
    assert await entries() == [("unknown", "assertion_refused", None, "assertion_invalid")]


async def test_a_reused_assertion_is_recorded(desk, entries, submitted, assertion):
    file_id, _ = submitted
    headers = {"Authorization": f"Bearer {assertion(exp=int(time.time()) + 60)}"}
    for _ in range(2):
        await desk.client.get(f"/api/office/files/{file_id}", headers=headers)

    assert [each[1:] for each in await entries()][1] == ("assertion_refused", None, "assertion_reused")


async def test_entries_beyond_their_term_are_deleted_while_the_service_runs(desk, settings, entries, monkeypatch):
    monkeypatch.setattr(HousekeepingTask, "START_SECONDS", 0.0)
    days, now = settings.audit_days, datetime.now(UTC)
    async with desk.parts.database.transaction() as session:
        await session.execute(delete(audit_head))
        await session.execute(insert(audit_head).values(id=1, seq=0, row_hash="0" * 64, seal=""))
        for age in (days + 1, days - 1):
            await add_audit_entry(session, AuditEntry(f"applicant {age}", "file_read", at=now - timedelta(days=age)))
    await chain_entries(desk.parts.database, chain_of(desk.parts.vault))

    another = create_app(settings, parts=replace(desk.parts, telemetry=Telemetry("intake")))
    async with another.router.lifespan_context(another), asyncio.timeout(60):
        while len(found := await entries()) != 2 or "audit_pruned" not in str(found):  # noqa: ASYNC110 - a table has no event
            await asyncio.sleep(0.05)

    assert [tuple(each)[:2] for each in found] == [
        (f"applicant {days - 1}", "file_read"),
        ("retention", "audit_pruned"),
    ]
