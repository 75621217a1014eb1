"""Requests whose applicant is looked up later: pending, released or rejected, in any order of events."""

from dataclasses import replace

import httpx
import pytest

from desk.tracking.domain import REJECTIONS, CaseNotReadyError, RejectionReason

ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""Input and answers of another service in many forms; the statements are those of the other tests."""
NATIONAL_ID, FOREIGN_CODE = "0013542419", "123456789012"
TYPED = {
    "national_id": NATIONAL_ID,
    "birth_date": "1361-12-05",
    "first_name": "زهره",
    "last_name": "رضائی",
    "gender": "female",
}
LOOKUPS = [
    {"at": "2026-12-14T04:00:00Z", "purpose": "confirm"},
    {"at": "2026-12-13T10:58:00Z", "purpose": "submit"},
]
SHOWN_LOOKUPS = [
    LOOKUPS[0] | {"local": "1405-09-23 07:30"},
    LOOKUPS[1] | {"local": "1405-09-22 14:28"},
]


@pytest.fixture
async def waiting(tracking, pending, new_code):
    """A request whose applicant is not looked up yet."""
    code = new_code()
    await tracking.bus.handle(pending(code, applicant=TYPED))
    return code


@pytest.fixture
def release(tracking, submission):
    async def release(code, **changes):
        await tracking.bus.handle(submission(code, seq=2, **changes))

    return release


async def test_a_pending_request_is_shown_as_pending(tracking, waiting):
    view = (await tracking.look_up(waiting)).json()

    assert (view["state"], view["state_title"]) == ("identity_pending", "در انتظار تأیید هویت")
    assert [entry["state"] for entry in view["history"]] == ["identity_pending"]


async def test_a_released_request_has_the_names_of_the_registry(tracking, waiting, release):
    await release(waiting)

    assert await tracking.state(waiting) == "registered"
    assert await tracking.states(waiting) == ["identity_pending", "registered"]
    await tracking.report("case-received", waiting)
    [changed] = await tracking.published("request-status-changed")
    assert changed["data"]["applicant"]["last_name"] == "رضایی‌نژاد"
    assert changed["seq"] == 3, "the numbers of the request's events continue"


async def test_a_repeated_release_changes_nothing(tracking, waiting, release):
    await release(waiting)
    await release(waiting)

    assert await tracking.states(waiting) == ["identity_pending", "registered"]


async def test_a_release_that_arrives_first_stays_in_effect(tracking, pending, release, new_code):
    code = new_code()
    await release(code)
    await tracking.bus.handle(pending(code, applicant=TYPED))

    assert await tracking.state(code) == "registered"
    assert await tracking.states(code) == ["identity_pending", "registered"]


async def test_an_unconfirmed_identity_is_part_of_a_referral(tracking, waiting, release):
    await release(waiting, identity="unconfirmed", applicant=TYPED)
    await tracking.report("case-referred", waiting)

    [referred] = await tracking.published("request-referred")
    assert referred["data"]["identity"] == "unconfirmed"


@pytest.mark.parametrize("reason", list(RejectionReason))
async def test_a_rejected_identity_ends_the_request_with_advice(tracking, waiting, identity_rejected, reason):
    await tracking.bus.handle(identity_rejected(waiting, reason.value))

    view = (await tracking.look_up(waiting)).json()
    assert (view["state"], view["state_title"]) == ("identity_rejected", "هویت تأیید نشد")
    assert view["history"][-1]["note"] == REJECTIONS[reason]
    [changed] = await tracking.published("request-status-changed")
    assert (changed["routing_key"], changed["seq"]) == ("request-status-changed.isfahan", 3)
    assert (changed["data"]["state"], changed["data"]["note"]) == ("identity_rejected", REJECTIONS[reason])
    assert changed["data"]["contact"]["mobile"] == "+989123456789"


async def test_a_rejection_that_arrives_first_is_retried(tracking, pending, identity_rejected, new_code):
    code = new_code()
    rejection = identity_rejected(code)
    with pytest.raises(CaseNotReadyError):
        await tracking.bus.handle(rejection)

    await tracking.bus.handle(pending(code, applicant=TYPED))
    await tracking.bus.handle(rejection)

    assert await tracking.state(code) == "identity_rejected"


async def test_a_rejection_of_a_released_request_changes_nothing(tracking, waiting, release, identity_rejected):
    await release(waiting)
    await tracking.bus.handle(identity_rejected(waiting))

    assert await tracking.state(waiting) == "registered"
    assert await tracking.published() == []


async def test_a_report_that_arrives_before_the_release_is_retried(tracking, waiting, release, report):
    received = report("case-received", waiting)
    with pytest.raises(CaseNotReadyError):
        await tracking.bus.handle(received)

    await release(waiting)
    await tracking.bus.handle(received)

    assert await tracking.state(waiting) == "received"
    assert await tracking.refusals(waiting) == []


async def test_a_report_on_a_pending_request_is_refused_at_the_last_attempt(tracking, waiting, report):
    await tracking.bus.handle(replace(report("case-answered", waiting), last_attempt=True))

    assert await tracking.state(waiting) == "identity_pending"
    assert [reason for *_, reason in await tracking.refusals(waiting)] == ["unknown_case"]


async def test_a_province_cannot_report_on_a_rejected_request(tracking, waiting, identity_rejected):
    await tracking.bus.handle(identity_rejected(waiting))
    await tracking.report("case-answered", waiting)

    assert await tracking.state(waiting) == "identity_rejected"
    assert [reason for *_, reason in await tracking.refusals(waiting)] == ["illegal_move"]


@pytest.mark.parametrize("state", ["registered", "identity_pending", "identity_rejected"])
async def test_a_request_unknown_to_tracking_is_shown_with_its_state_at_intake(tracking, new_code, request_data, state):
    code = new_code()
    tracking.peers.requests[NATIONAL_ID, code] = request_data(code) | {"state": state}

    assert (await tracking.look_up(code)).json()["state"] == state


async def test_a_foreign_national_can_look_up_a_request(tracking, pending, new_code):
    code = new_code()
    await tracking.bus.handle(pending(code, applicant=TYPED | {"national_id": FOREIGN_CODE}))

    assert (await tracking.look_up(code, "۱۲۳۴ ۵۶۷۸ ۹۰۱۲")).json()["state"] == "identity_pending"


@ON_SQLITE
@pytest.mark.parametrize("number", ["12345678901", "1234567890123", "111111111111"])
async def test_a_number_that_is_neither_national_id_nor_foreign_code_is_refused(tracking, waiting, number):
    [error] = (await tracking.look_up(waiting, number)).json()["errors"]

    assert error["field"] == "national_id"


# the look-ups in the civil registry


@pytest.fixture
def read_lookups(tracking):
    async def read_lookups(token):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        transport = httpx.ASGITransport(tracking.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://tracking") as client:
            return await client.get("/api/tracking/lookups", headers=headers)

    return read_lookups


async def test_the_look_ups_in_the_registry_are_listed_with_their_purpose(tracking, waiting, read_lookups):
    tracking.peers.registry = httpx.Response(200, json={"lookups": LOOKUPS})
    token = (await tracking.look_up(waiting)).json()["token"]
    assert tracking.peers.calls_to("/internal/lookups") == [], "the registry's service is asked once they are wanted"

    answer = await read_lookups(token)

    assert answer.json() == {"lookups": SHOWN_LOOKUPS}
    assert answer.headers["Cache-Control"] == "no-store"
    assert tracking.peers.calls_to("/internal/lookups") == [("/internal/lookups", {"national_id": NATIONAL_ID})]


async def test_a_request_unknown_to_tracking_has_no_look_ups_yet(tracking, new_code, request_data, read_lookups):
    code = new_code()
    tracking.peers.requests[NATIONAL_ID, code] = request_data(code)
    token = (await tracking.look_up(code)).json()["token"]

    assert (await read_lookups(token)).status_code == 404


@ON_SQLITE
@pytest.mark.parametrize("token", ["", "x", "a.b.c"])
async def test_look_ups_need_a_tracking_token(read_lookups, token):
    assert (await read_lookups(token)).status_code == 401


@ON_SQLITE
@pytest.mark.parametrize(
    "answer",
    [
        httpx.ConnectError("no route"),
        httpx.ReadTimeout("slow"),
        httpx.Response(503),
        httpx.Response(404, json={"code": "not_found"}),
        httpx.Response(200, text="<html>"),
        httpx.Response(200, json={"lookups": [{"at": "yesterday", "purpose": "submit"}]}),
    ],
    ids=str,
)
async def test_look_ups_are_unavailable_while_registry_gateway_is(tracking, waiting, read_lookups, answer):
    tracking.peers.registry = answer
    token = (await tracking.look_up(waiting)).json()["token"]

    assert (await read_lookups(token)).status_code == 503
    assert tracking.parts.telemetry.registry.get_sample_value("desk_lookups_missing_total") == 1


async def test_an_unknown_code_causes_no_call_to_registry_gateway(tracking, waiting, new_code):
    await tracking.look_up(new_code())

    assert tracking.peers.calls_to("/internal/lookups") == []
