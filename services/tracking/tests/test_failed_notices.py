"""A notice that was not delivered: its office receives an event about it."""

import json
import uuid

import pytest

from desk.chassis.events import Message
from desk.testing.event_keys import encrypted
from desk.tracking.app import build_erasures
from desk.tracking.domain import CaseNotReadyError, ErasureReason


@pytest.fixture
def fail(tracking):
    """Deliver a failure as notifier publishes it."""

    async def fail(code, *, reason="not_delivered", notice="answered"):
        body = {
            "specversion": "1.0",
            "id": str(uuid.uuid4()),
            "source": "/desk/notifier",
            "type": "ir.haj.desk.notice-failed.v1",
            "subject": code,
            "time": "2026-12-14T09:00:00Z",
            "seq": 1,
            "datacontenttype": "application/json",
            "data": {
                "tracking_code": code,
                "at": "2026-12-14T09:00:00Z",
                "notice": notice,
                "channel": "sms",
                "reason": reason,
            },
        }
        content = json.dumps(encrypted(body, "tracking")).encode()
        await tracking.bus.handle(Message(body["id"], "desk.events", "notice-failed.desk", body["type"], content))

    return fail


async def test_the_office_of_the_case_receives_it(tracking, fail):
    code = await tracking.submit()
    await tracking.report("case-referred", code, data={"province": "fars"})
    await fail(code)
    [event] = await tracking.published("request-notice-failed")
    assert event["routing_key"] == "request-notice-failed.fars"
    assert event["seq"] == (await tracking.case(code)).seq
    assert event["data"] == {
        "tracking_code": code,
        "at": "2026-12-14T09:00:00Z",
        "notice": "answered",
        "channel": "sms",
        "reason": "not_delivered",
    }
    assert await tracking.states(code) == ["registered", "referred"]


async def test_a_code_of_a_newer_notifier_is_passed_on(tracking, fail):
    code = await tracking.submit()
    await fail(code, reason="a_new_reason")
    [event] = await tracking.published("request-notice-failed")
    assert event["data"]["reason"] == "a_new_reason"


async def test_a_case_that_no_office_has_causes_nothing(tracking, fail, pending, new_code):
    code = new_code()
    await tracking.bus.handle(pending(code))
    await fail(code, notice="pending")
    assert await tracking.published("request-notice-failed") == []


async def test_an_erased_case_causes_nothing(tracking, fail):
    code = await tracking.submit()
    erasures = build_erasures(tracking.settings, tracking.parts, tracking.context)
    await erasures.erase(code, ErasureReason.APPLICANT, "operator")
    await fail(code)
    assert await tracking.published("request-notice-failed") == []


async def test_a_failure_before_its_case_is_retried(fail, new_code):
    with pytest.raises(CaseNotReadyError):
        await fail(new_code())


async def test_the_applicant_is_asked_to_check_the_mobile_until_there_is_another(tracking, fail):
    code = await tracking.submit()
    assert (await tracking.look_up(code)).json()["unreached"] is False
    await fail(code)
    await tracking.report("case-received", code)
    assert (await tracking.look_up(code)).json()["unreached"] is True
    sent = tracking.peers.send_code("contact", "+989127654321")
    changed = await tracking.act("contact", code, {"mobile": "09127654321", "mobile_code": sent})
    assert changed.json()["unreached"] is False
    await fail(code)
    assert (await tracking.look_up(code)).json()["unreached"] is True, "the new one does not work either"
