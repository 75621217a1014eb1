"""Intake's audit log: files that were downloaded, and assertions that were refused."""

import time

import pytest

from desk.chassis.crypto import TokenIssuer


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
