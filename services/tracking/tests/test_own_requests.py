"""The list of an applicant's requests, for the owner of the mobile that was given with them."""

import asyncio
import json

import httpx
import pytest
from sqlalchemy import select, update

from desk.chassis.crypto import Vault
from desk.database.audit import audit_entry
from desk.tracking.app import build_erasures
from desk.tracking.domain import ErasureReason
from desk.tracking.operation import rotation
from desk.tracking.service.own_requests import LISTED
from desk.tracking.store.tables import case_table
from desk.tracking.workers.persons import PersonsTask

NATIONAL_ID, OTHER_ID = "0013542419", "8275737168"
MOBILE, OTHER_MOBILE = "+989123456789", "+989120000000"


@pytest.fixture
def contact():
    return lambda mobile=MOBILE: {"mobile": mobile, "landline": None, "email": None}


@pytest.fixture
def list_own(tracking):
    """List requests as the page does, by default with a new right code."""

    async def list_own(national_id=NATIONAL_ID, mobile=MOBILE, code=None, *, source="192.0.2.1", **more):
        code = code or tracking.peers.send_code("requests", mobile)
        body = {"national_id": national_id, "mobile": mobile, "mobile_code": code} | more
        transport = httpx.ASGITransport(tracking.app, client=(source, 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://tracking") as client:
            headers = {"content-type": "application/json"}
            return await client.post("/api/tracking/requests", content=json.dumps(body), headers=headers)

    return list_own


@pytest.fixture
def open_with(tracking):
    async def open_with(token):
        transport = httpx.ASGITransport(tracking.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://tracking") as client:
            headers = {"authorization": f"Bearer {token}"} if token else {}
            return await client.get("/api/tracking/request", headers=headers)

    return open_with


def codes(response):
    assert response.status_code == 200, response.text
    return [each["tracking_code"] for each in response.json()["requests"]]


async def test_the_owner_of_the_mobile_sees_the_requests_newest_first(tracking, list_own):
    old = await tracking.submit(submitted_at="2026-12-01T11:00:00Z")
    new = await tracking.submit()
    await tracking.report("case-received", new)
    response = await list_own("۰۰۱۳۵۴۲۴۱۹", MOBILE)
    assert codes(response) == [new, old]
    assert response.headers["cache-control"] == "no-store"
    assert response.json()["more"] is False
    first = response.json()["requests"][0]
    assert first.pop("token")
    assert first == {
        "tracking_code": new,
        "state": "received",
        "state_title": "به دست کارشناسان رسید",
        "submitted_at": "2026-12-13T11:00:00Z",
        "submitted_local": "1405-09-22 14:30",
        "office": {"key": "isfahan", "name": "اصفهان"},
        "subject": {"key": "hajj_deposit", "title": "ودیعه‌گذاری و قبوض حج تمتع"},
        "sub_subject": {"key": "lost_receipt", "title": "گم شدن قبض"},
    }


async def test_neither_another_number_nor_another_mobile_finds_them(tracking, list_own, contact):
    await tracking.submit()
    await tracking.submit(contact=contact(""))
    assert codes(await list_own(OTHER_ID)) == []
    assert codes(await list_own(mobile=OTHER_MOBILE)) == []


async def test_the_mobile_may_be_typed_in_any_form(tracking, list_own):
    code = await tracking.submit()
    sent = tracking.peers.send_code("requests", MOBILE)
    assert codes(await list_own(mobile="۰۹۱۲ ۳۴۵ ۶۷۸۹", code=sent)) == [code]


@pytest.mark.parametrize("mobile", ["+441632960961", "02133445566", ""])
async def test_another_number_than_an_iranian_mobile_is_an_error_of_the_field(list_own, mobile):
    response = await list_own(mobile=mobile)
    assert response.status_code == 422
    assert [each["field"] for each in response.json()["errors"]] == ["mobile"]


async def test_the_mobile_of_a_representative_who_is_not_the_contact_finds_nothing(tracking, list_own):
    helper = {"name": "رضا نیک", "national_id": OTHER_ID, "mobile": OTHER_MOBILE}
    code = await tracking.submit(representative=helper)
    assert codes(await list_own(mobile=OTHER_MOBILE)) == []
    assert codes(await list_own(OTHER_ID, OTHER_MOBILE)) == []
    assert codes(await list_own()) == [code]


@pytest.mark.parametrize("purpose", ["mobile", "contact", "track", "submit"])
async def test_a_code_for_another_purpose_opens_no_list(tracking, list_own, purpose):
    await tracking.submit()
    refused = await list_own(code=tracking.peers.send_code(purpose, MOBILE))
    assert (refused.status_code, refused.json()["code"]) == (422, "mobile_code_expired")


async def test_a_code_of_another_mobile_opens_no_list(tracking, list_own):
    await tracking.submit()
    refused = await list_own(code=tracking.peers.send_code("requests", OTHER_MOBILE))
    assert refused.json()["code"] == "mobile_code_expired"


async def test_a_wrong_code_says_nothing_about_the_requests(tracking, list_own):
    await tracking.submit()
    wrong = {"id": tracking.peers.send_code("requests", MOBILE)["id"], "answer": "11111"}
    answers = [await list_own(number, code=wrong) for number in (NATIONAL_ID, OTHER_ID)]
    assert [each.json()["code"] for each in answers] == ["mobile_code_wrong"] * 2
    assert answers[0].json()["errors"] == answers[1].json()["errors"]


async def test_a_code_is_used_up_by_one_number(tracking, list_own):
    code = await tracking.submit()
    sent = tracking.peers.send_code("requests", MOBILE)
    assert codes(await list_own(code=sent)) == [code]
    assert codes(await list_own(code=sent)) == [code], "after a lost connection the page repeats it"
    assert (await list_own(OTHER_ID, code=sent)).json()["code"] == "mobile_code_expired"


async def test_the_list_is_bounded(tracking, list_own, submission, new_code):
    for number in range(LISTED + 1):
        await tracking.bus.handle(submission(new_code(), submitted_at=f"2026-12-13T11:00:{number % 60:02}Z"))
    response = await list_own()
    assert len(codes(response)) == LISTED
    assert response.json()["more"] is True


async def test_an_erased_request_is_not_listed(tracking, list_own):
    code = await tracking.submit()
    erasures = build_erasures(tracking.settings, tracking.parts, tracking.context)
    await erasures.erase(code, ErasureReason.APPLICANT, "operator")
    assert codes(await list_own()) == []
    [row] = await tracking.rows(select(case_table.c.contact_index))
    assert row.contact_index == ""


async def test_each_list_is_in_the_audit_log_without_the_number(tracking, list_own):
    await tracking.submit()
    await list_own()
    await list_own(OTHER_ID)
    rows = await tracking.rows(select(audit_entry).where(audit_entry.c.action == "requests_listed"))
    assert sorted(each.about for each in rows) == ["0 requests", "1 requests"]
    assert all(NATIONAL_ID not in str(each) and OTHER_ID not in str(each) for each in rows)


async def test_empty_lists_of_a_source_need_a_proof_of_work(tracking, list_own, submission):
    for _ in range(3):
        assert codes(await list_own(OTHER_ID)) == []
    refused = await list_own(OTHER_ID)
    assert (refused.status_code, refused.json()["code"]) == (429, "proof_required")
    proof = {"id": "work-0001", "solution": "ab"}
    assert codes(await list_own(OTHER_ID, proof=proof)) == []


async def test_empty_lists_for_a_number_need_a_proof_of_work_from_every_source_and_never_refuse(tracking, list_own):
    code = await tracking.submit()
    for number in range(5):
        assert codes(await list_own(mobile=OTHER_MOBILE, source=f"198.51.100.{number}")) == []
    refused = await list_own(source="203.0.113.1")
    assert refused.json()["code"] == "proof_required"
    proof = {"id": "work-0001", "solution": "ab"}
    assert codes(await list_own(source="203.0.113.1", proof=proof)) == [code]


async def test_lists_at_the_same_time_exceed_no_limit(tracking, list_own):
    answers = await asyncio.gather(*(list_own(OTHER_ID) for _ in range(12)))
    assert sum(each.status_code == 200 for each in answers) == 3
    assert {each.json()["code"] for each in answers if each.status_code != 200} == {"proof_required"}


async def test_a_found_list_is_not_a_miss(tracking, list_own):
    await tracking.submit()
    for _ in range(6):
        assert len(codes(await list_own())) == 1


async def test_a_request_of_the_list_opens_without_its_code_being_typed(tracking, list_own, open_with):
    code = await tracking.submit()
    await tracking.report("case-answered", code)
    [listed] = (await list_own()).json()["requests"]
    opened = await open_with(listed["token"])
    assert opened.status_code == 200
    assert opened.json()["tracking_code"] == code
    assert "object" in opened.json()["actions"]
    rated = await tracking.act("rating", code, {"rating": 5}, token=opened.json()["token"])
    assert rated.status_code == 200
    looked_up = (await tracking.look_up(code)).json()
    again = (await open_with(looked_up["token"])).json()
    assert {**again, "token": ""} == {**looked_up, "token": ""}


async def test_no_other_token_opens_a_request(tracking, open_with):
    code = await tracking.submit()
    assert (await open_with(None)).json()["code"] == "tracking_token_missing"
    assert (await open_with(tracking.token(code, audience="desk.other"))).json()["code"] == "tracking_token_invalid"
    assert (await open_with(tracking.token(code, seconds_ago=7200))).json()["code"] == "tracking_token_expired"
    assert (await open_with(tracking.token("000000000000"))).json()["code"] == "request_not_found"


async def test_cases_from_before_the_list_are_indexed_by_the_background_task(tracking, list_own, submission):
    code = await tracking.submit()
    other = await tracking.submit()
    async with tracking.parts.database.transaction() as session:
        await session.execute(update(case_table).values(contact_index=None))
        await session.execute(update(case_table).where(case_table.c.tracking_code == other).values(request=b"broken"))
    assert codes(await list_own()) == []
    task = PersonsTask(tracking.services.own_requests)
    assert await task.index_batch() is None
    assert codes(await list_own()) == [code]
    [row] = await tracking.rows(select(case_table.c.contact_index).where(case_table.c.tracking_code == other))
    assert row.contact_index == "", "what cannot be read is not read again"


async def test_two_replicas_index_each_case_once(tracking):
    for _ in range(6):
        await tracking.submit()
    async with tracking.parts.database.transaction() as session:
        await session.execute(update(case_table).values(contact_index=None))
    own = tracking.services.own_requests
    counts = await asyncio.gather(*(own.index_older(4) for _ in range(3)))
    await own.index_older(10)
    assert sum(counts) <= 6
    rows = await tracking.rows(select(case_table.c.contact_index))
    assert len({row.contact_index for row in rows}) == 1
    assert rows[0].contact_index


async def test_a_rotation_of_the_index_key_keeps_the_list(tracking, list_own):
    code = await tracking.submit()
    old = tracking.parts.vault
    new = Vault({"k1": b"k" * 32}, b"n" * 32, b"i" * 32)
    async with tracking.parts.database.transaction() as session:
        before = (await session.execute(select(case_table.c.contact_index))).scalar_one()
    await rotation(tracking.parts.database, new).run()
    [row] = await tracking.rows(select(case_table.c.contact_index))
    assert row.contact_index not in {before, ""}
    assert row.contact_index == new.index(f"{NATIONAL_ID}/{MOBILE}", "contact")
    assert old.index(f"{NATIONAL_ID}/{MOBILE}", "contact") == before
    assert code
