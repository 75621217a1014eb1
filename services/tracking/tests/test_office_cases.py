"""GET /api/office/cases/{tracking_code}: who may read which case, what it shows, and the errors."""

import time
import uuid
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import OKPKey
from sqlalchemy import select

from desk.database.audit import audit_entry
from desk.tracking.domain import ErasureReason
from desk.tracking.service import Erasures

HQ = "headquarters"
NOW = datetime(2026, 12, 14, 8, 0, tzinfo=UTC)


@pytest.fixture
def read(tracking, office_private_keys):
    """Read a case as an office."""

    async def read(code, caller="isfahan", **changes):
        claims = {"iss": caller, "aud": "desk.cases", "exp": int(time.time()) + 60, "jti": str(uuid.uuid4())}
        key = OKPKey.import_key(office_private_keys[caller])
        token = jwt.encode({"alg": "Ed25519"}, claims | changes, key, algorithms=["Ed25519"])
        transport = httpx.ASGITransport(app=tracking.app, client=("192.0.2.9", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://tracking") as client:
            return await client.get(f"/api/office/cases/{code}", headers={"authorization": f"Bearer {token}"})

    return read


@pytest.fixture
async def code(tracking):
    tracking.set_clock(NOW)
    return await tracking.submit()


async def test_an_office_reads_the_dates_of_its_case(tracking, read, code):
    await tracking.report("case-received", code)
    response = await read(code)

    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-store"
    found = response.json()
    assert (found["tracking_code"], found["state"], found["late"]) == (code, "received", "no")
    assert found["office"] == {"key": "isfahan", "name": "اصفهان"}
    assert found["sub_subject"]["key"] == "lost_receipt"
    assert (found["due_at"], found["next_deadline_at"]) == ("2026-12-20T20:29:59Z", "2026-12-20T20:29:59Z")
    assert (found["office_due_at"], found["objections"]) == (None, 0)
    [stay] = found["trail"]
    assert (stay["office"]["key"], stay["since"], stay["until"]) == ("isfahan", "2026-12-13T11:00:00Z", None)


async def test_it_has_no_personal_data(tracking, read, code, secrets_of_people):
    await tracking.report("case-answered", code)
    await tracking.act("objection", code, {"text": "پاسخ روشن نیست"})
    text = (await read(code, HQ)).text
    assert not [word for word in secrets_of_people if word in text]


async def test_headquarters_reads_every_case_with_its_offices_and_notices(tracking, read, code):
    tracking.set_clock(NOW + timedelta(days=1))
    await tracking.report("case-referred", code, data={"province": "fars"})
    for days in (30, 60):
        tracking.set_clock(NOW + timedelta(days=days))
        await tracking.expire_cases()
    found = (await read(code, HQ)).json()
    assert (found["office"]["key"], found["late"], found["next_deadline_at"]) == ("fars", "headquarters_notified", None)
    assert [(each["office"]["key"], each["until"]) for each in found["trail"]] == [
        ("isfahan", "2026-12-15T08:00:00Z"),
        ("fars", None),
    ]

    await tracking.report("case-taken-over", code, province=HQ)
    found = (await read(code, HQ)).json()
    assert (found["office"]["key"], found["late"]) == (HQ, "no")
    assert found["office_due_at"] > found["due_at"]


async def test_a_province_finds_neither_the_case_of_another_office_nor_an_unknown_one(tracking, read, code, new_code):
    answers = [await read(code, "fars"), await read(new_code(), "fars")]
    await tracking.report("case-referred", code, data={"province": "fars"})
    answers.append(await read(code, "isfahan"))
    assert [(each.status_code, each.json()["code"]) for each in answers] == [(404, "case_not_found")] * 3
    assert (await read(code, "fars")).status_code == 200


async def test_only_headquarters_finds_a_case_that_no_office_has_yet(tracking, read, pending, new_code):
    code = new_code()
    await tracking.bus.handle(pending(code))
    assert (await read(code)).status_code == 404
    found = (await read(code, HQ)).json()
    assert (found["state"], found["trail"]) == ("identity_pending", [])


async def test_an_erased_case_is_found_without_its_subject(tracking, read, code):
    erasures = Erasures(tracking.parts.database, tracking.context, tracking.settings.retention, tracking.parts.intake)
    await erasures.erase(code, ErasureReason.APPLICANT, "operator")
    found = (await read(code, HQ)).json()
    assert (found["state"], found["subject"], found["province"]) == ("erased", None, None)


async def test_each_reading_is_recorded(tracking, read, code, new_code):
    await read(code, HQ)
    await read(new_code(), HQ)
    columns = audit_entry.c.actor, audit_entry.c.action, audit_entry.c.subject
    rows = await tracking.rows(select(*columns))
    assert [tuple(row) for row in rows] == [("office.headquarters", "case_found", code)]


async def test_an_assertion_for_figures_is_of_no_use_here(read, code):
    response = await read(code, aud="desk.figures")
    assert (response.status_code, response.json()["errors"][0]["field"]) == (401, "aud")


async def test_a_wrong_code_is_a_problem(read):
    response = await read("123")
    assert (response.status_code, response.headers["content-type"]) == (422, "application/problem+json")


async def test_an_office_has_a_limit_of_its_own(tracking, read, code):
    guard = tracking.services.case_readers
    for _ in range(600):
        await guard.rate_limits.reserve(guard.limit, "cases of office", "isfahan")
    response = await read(code)
    assert (response.status_code, response.json()["code"]) == (429, "budget_exhausted")
    assert (await read(code, HQ)).status_code == 200
