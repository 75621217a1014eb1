"""Another mobile of a request: proven by a code, counted, published, and in every later message."""

import asyncio
import json

import httpx
import pytest
from sqlalchemy import select

from desk.database.audit import audit_entry
from desk.tracking.app import build_erasures
from desk.tracking.domain import ErasureReason
from desk.tracking.store.tables import case_table

NATIONAL_ID = "0013542419"
BEFORE, AFTER, OTHER = "+989123456789", "+989127654321", "+989120000000"


@pytest.fixture
def change(tracking):
    """Give a case another mobile as the page does, by default with a new right code."""

    async def change(tracking_code, mobile=AFTER, code=None, *, key="contact-1", token=None):
        code = code or tracking.peers.send_code("contact", mobile)
        body = {"mobile": mobile, "mobile_code": code}
        return await tracking.act("contact", tracking_code, body, key=key, token=token)

    return change


@pytest.fixture
def mobile_of(tracking):
    async def mobile_of(code):
        async with tracking.parts.database.transaction() as session:
            found = await tracking.context.cases(session).find(code)
        return found[1].contact.mobile

    return mobile_of


async def test_the_new_mobile_is_that_of_the_request_and_the_office_gets_it(tracking, change, mobile_of):
    code = await tracking.submit()
    await tracking.report("case-received", code)
    response = await change(code)
    assert response.status_code == 200, response.text
    assert response.headers["cache-control"] == "no-store"
    assert response.json()["contact"]["mobile"] == "0912*****21"
    assert response.json()["contact_changeable"] is True
    assert await mobile_of(code) == AFTER
    [event] = await tracking.published("request-contact-changed")
    assert (event["routing_key"], event["seq"]) == ("request-contact-changed.isfahan", 3)
    assert event["data"] == {
        "tracking_code": code,
        "at": event["data"]["at"],
        "contact": {
            "mobile": AFTER,
            "landline": "+983132223344",
            "email": "zahra.rezaei@example.ir",
            "language": "fa",
        },
        "previous_mobile": BEFORE,
        "province": {"key": "isfahan", "name": "اصفهان"},
        "office": {"key": "isfahan", "name": "اصفهان"},
        "applicant": {"first_name": "زهرا", "last_name": "رضایی‌نژاد", "gender": "female"},
    }


async def test_the_history_has_the_masked_number_and_the_state_is_the_same(tracking, change):
    code = await tracking.submit()
    await tracking.report("case-answered", code)
    view = (await change(code)).json()
    last = view["history"][-1]
    assert (view["state"], last["state"]) == ("answered", "answered")
    assert (last["action"], last["note"]) == ("contact_changed", "0912*****21")
    assert last["title"] == "شمارهٔ تلفن همراه درخواست تغییر کرد"
    assert {"rate", "object"} <= set(view["actions"])
    objected = await tracking.act("objection", code, {"text": "پاسخ روشن نیست."})
    assert objected.json()["state"] == "objected"
    [event] = await tracking.published("request-objected")
    assert event["data"]["answer_report_id"], "the change is not taken for the decision"


async def test_later_events_have_the_new_mobile(tracking, change):
    code = await tracking.submit()
    await tracking.report("case-received", code, seq=1)
    await change(code)
    await tracking.report("case-referred", code, seq=2)
    [referred] = await tracking.published("request-referred")
    assert referred["data"]["contact"]["mobile"] == AFTER
    assert all(each["action"] != "contact_changed" for each in referred["data"]["history"])
    states = await tracking.published("request-status-changed")
    assert {each["data"]["contact"]["mobile"] for each in states if each["seq"] > 2} == {AFTER}


async def test_the_list_of_requests_follows_the_mobile(tracking, change):
    code = await tracking.submit()
    await change(code)
    vault = tracking.parts.vault
    [row] = await tracking.rows(select(case_table.c.contact_index))
    assert row.contact_index == vault.index(f"{NATIONAL_ID}/{AFTER}", "contact")


async def test_a_request_without_a_mobile_gets_one_of_its_own(tracking, change):
    registration = {"office": {"key": "isfahan", "name": "اصفهان"}, "expert": "n.baran", "mobile_owner": "none"}
    contact = {"mobile": "", "landline": None, "email": None}
    code = await tracking.submit(contact=contact, source="counter", registration=registration)
    assert (await change(code)).status_code == 200
    [event] = await tracking.published("request-contact-changed")
    assert event["data"]["previous_mobile"] == ""
    await tracking.report("case-referred", code)
    [referred] = await tracking.published("request-referred")
    assert referred["data"]["registration"]["mobile_owner"] == "own"


@pytest.mark.parametrize("purpose", ["mobile", "requests", "track"])
async def test_a_code_for_another_purpose_changes_nothing(tracking, change, mobile_of, purpose):
    code = await tracking.submit()
    refused = await change(code, code=tracking.peers.send_code(purpose, AFTER))
    assert (refused.status_code, refused.json()["code"]) == (422, "mobile_code_expired")
    assert await mobile_of(code) == BEFORE
    assert await tracking.published("request-contact-changed") == []


async def test_the_code_must_be_that_of_the_new_number(tracking, change, mobile_of):
    code = await tracking.submit()
    for sent_to in (BEFORE, OTHER):
        refused = await change(code, code=tracking.peers.send_code("contact", sent_to))
        assert refused.json()["code"] == "mobile_code_expired"
    assert await mobile_of(code) == BEFORE


async def test_a_wrong_code_is_not_a_change(tracking, change):
    code = await tracking.submit()
    wrong = {"id": tracking.peers.send_code("contact", AFTER)["id"], "answer": "11111"}
    for _ in range(5):
        assert (await change(code, code=wrong)).json()["code"] == "mobile_code_wrong"
    assert (await change(code)).status_code == 200


async def test_a_code_changes_one_request(tracking, change, mobile_of):
    code, other = await tracking.submit(), await tracking.submit()
    sent = tracking.peers.send_code("contact", AFTER)
    assert (await change(code, code=sent)).status_code == 200
    assert (await change(other, code=sent)).json()["code"] == "mobile_code_expired"
    assert await mobile_of(other) == BEFORE


async def test_a_repeat_changes_nothing_and_another_number_with_the_key_is_refused(tracking, change):
    code = await tracking.submit()
    sent = tracking.peers.send_code("contact", AFTER)
    first = await change(code, code=sent)
    again = await change(code, code=sent)
    assert again.json()["history"] == first.json()["history"]
    assert len(await tracking.published("request-contact-changed")) == 1
    refused = await change(code, OTHER)
    assert refused.json()["code"] == "idempotency_key_reused"


async def test_the_same_number_is_refused_before_its_code_is_used(tracking, change):
    code = await tracking.submit()
    refused = await change(code, BEFORE)
    assert (refused.status_code, refused.json()["code"]) == (422, "mobile_unchanged")
    assert [each["field"] for each in refused.json()["errors"]] == ["mobile"]
    assert tracking.peers.calls_to("/internal/captchas") == []


async def test_three_changes_a_day(tracking, change):
    code = await tracking.submit()
    mobiles = [f"+98912000000{number}" for number in range(4)]
    answers = [await change(code, mobile, key=f"contact-{mobile[1:]}") for mobile in mobiles]
    assert [each.status_code for each in answers] == [200, 200, 200, 429]
    assert answers[-1].json()["code"] == "contact_changes_exhausted"
    assert int(answers[-1].headers["retry-after"]) > 80_000


async def test_the_owner_gets_back_the_submitted_mobile_beyond_the_limit(tracking, change, mobile_of, request_data):
    code = await tracking.submit()
    tracking.peers.requests[NATIONAL_ID, code] = request_data(code)
    stolen = [f"+98912000000{number}" for number in range(3)]
    for mobile in stolen:
        assert (await change(code, mobile, key=f"contact-{mobile[1:]}")).status_code == 200
    wrong = {"id": tracking.peers.send_code("contact", BEFORE)["id"], "answer": "11111"}
    assert (await change(code, BEFORE, code=wrong, key="contact-back")).json()["code"] == "mobile_code_wrong"
    assert (await change(code, BEFORE, key="contact-back")).status_code == 200
    assert await mobile_of(code) == BEFORE
    assert (await change(code, stolen[0], key="contact-again")).json()["code"] == "contact_changes_exhausted"
    last = (await tracking.published("request-contact-changed"))[-1]["data"]
    assert (last["previous_mobile"], last["contact"]["mobile"]) == (stolen[-1], BEFORE)


async def test_beyond_the_limit_nothing_is_changed_while_intake_is_unavailable(tracking, change):
    code = await tracking.submit()
    for number in range(3):
        assert (await change(code, f"+98912000000{number}", key=f"contact-{number}")).status_code == 200
    tracking.peers.intake = httpx.ConnectError("down")
    assert (await change(code, BEFORE, key="contact-back")).status_code == 503


async def test_changes_at_the_same_time_do_not_exceed_the_limit(tracking, change):
    code = await tracking.submit()
    mobiles = [f"+9891200000{number:02}" for number in range(10)]
    answers = await asyncio.gather(*(change(code, mobile, key=f"contact-{mobile[1:]}") for mobile in mobiles))
    assert sorted(each.status_code for each in answers) == [200] * 3 + [429] * 7
    events = await tracking.published("request-contact-changed")
    assert len(events) == 3
    assert len({each["seq"] for each in events}) == 3, "each change saw the one before"
    pairs = [(each["data"]["previous_mobile"], each["data"]["contact"]["mobile"]) for each in events]
    in_order = sorted(zip([each["seq"] for each in events], pairs, strict=True))
    assert [old for _, (old, _) in in_order[1:]] == [new for _, (_, new) in in_order[:-1]]


async def test_the_same_change_twice_at_once_is_made_once(tracking, change):
    code = await tracking.submit()
    sent = tracking.peers.send_code("contact", AFTER)
    answers = await asyncio.gather(*(change(code, code=sent) for _ in range(4)))
    assert {each.status_code for each in answers} <= {200, 429}
    assert len(await tracking.published("request-contact-changed")) == 1
    assert (await change(code, OTHER, key="contact-2")).status_code == 200, "repeats are not counted"


async def test_a_change_and_a_report_at_the_same_time_are_both_applied(tracking, change, mobile_of):
    code = await tracking.submit()
    await asyncio.gather(change(code), tracking.report("case-answered", code))
    assert await mobile_of(code) == AFTER
    assert await tracking.state(code) == "answered"
    seqs = [each["seq"] for each in await tracking.published() if each["subject"] == code]
    assert len(seqs) == len(set(seqs))


async def test_a_pending_a_withdrawn_and_an_unknown_request_have_no_other_mobile(tracking, change, pending, new_code):
    waiting = new_code()
    await tracking.bus.handle(pending(waiting))
    assert (await tracking.look_up(waiting)).json()["contact_changeable"] is False
    withdrawn = await tracking.submit()
    await tracking.act("withdrawal", withdrawn, {})
    for code in (waiting, withdrawn, new_code()):
        refused = await change(code)
        assert (refused.status_code, refused.json()["code"]) == (409, "contact_not_changeable")
    assert await tracking.published("request-contact-changed") == []


async def test_an_erased_request_has_no_other_mobile_and_no_trace_of_one(tracking, change):
    code = await tracking.submit()
    await change(code)
    erasures = build_erasures(tracking.settings, tracking.parts, tracking.context)
    await erasures.erase(code, ErasureReason.APPLICANT, "operator")
    assert (await change(code, OTHER, key="contact-2")).json()["code"] == "contact_not_changeable"
    [row] = await tracking.rows(select(case_table.c.contact_index, case_table.c.request))
    assert (row.contact_index, row.request) == ("", b"")
    assert all(entry.note is None for entry in await tracking.history(code))
    assert await tracking.published("request-contact-changed") == []


async def test_a_token_is_needed_and_its_session_ends(tracking, change):
    code = await tracking.submit()
    ended = tracking.token(code, seconds_ago=7200)
    assert (await change(code, token=ended)).json()["code"] == "tracking_token_expired"
    transport = httpx.ASGITransport(tracking.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://tracking") as client:
        body = {"mobile": AFTER, "mobile_code": {"id": "sms-code-0000", "answer": "40967"}}
        headers = {"content-type": "application/json", "idempotency-key": "contact-1"}
        refused = await client.post("/api/tracking/contact", content=json.dumps(body), headers=headers)
    assert refused.json()["code"] == "tracking_token_missing"


@pytest.mark.parametrize("mobile", ["+441632960961", "02133445566", ""])
async def test_only_an_iranian_mobile_is_taken(tracking, change, mobile):
    code = await tracking.submit()
    refused = await change(code, mobile)
    assert refused.status_code == 422
    assert [each["field"] for each in refused.json()["errors"]] == ["mobile"]


async def test_the_change_is_in_the_audit_log_and_the_number_in_no_log(tracking, change, logged):
    code = await tracking.submit()
    await change(code)
    rows = await tracking.rows(select(audit_entry).where(audit_entry.c.action == "contact_changed"))
    assert [(row.actor, row.subject) for row in rows] == [("applicant", code)]
    assert "7654321" not in logged()
    if tracking.parts.database.engine.name == "sqlite":
        assert b"7654321" not in tracking.stored_bytes()
