"""Requests whose applicant is looked up later: held, released or ended, in whatever order tracking hears of it."""

from dataclasses import replace

import httpx
import pytest

from desk.tracking.domain import REJECTIONS, CaseUnknownError, RejectionReason

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


@pytest.fixture
async def held(tracking, pending, new_code):
    """A request whose applicant is not looked up yet."""
    code = new_code()
    await tracking.bus.handle(pending(code, applicant=TYPED))
    return code


@pytest.fixture
def release(tracking, submission):
    async def release(code, **changes):
        await tracking.bus.handle(submission(code, seq=2, **changes))

    return release


async def test_a_pending_request_is_shown_as_such(tracking, held):
    view = (await tracking.ask(held)).json()

    assert (view["state"], view["state_title"]) == ("identity_pending", "در انتظار تأیید هویت")
    assert [step["state"] for step in view["history"]] == ["identity_pending"]


async def test_a_released_request_is_registered_under_the_registry_s_names(tracking, held, release):
    await release(held)

    assert await tracking.state(held) == "registered"
    assert await tracking.states(held) == ["identity_pending", "registered"]
    await tracking.report("case-received", held)
    [changed] = await tracking.announced("request-status-changed")
    assert changed["data"]["applicant"]["last_name"] == "رضایی‌نژاد"
    assert changed["seq"] == 3, "the request's events go on being numbered"


async def test_a_release_is_no_second_case(tracking, held, release):
    await release(held)
    await release(held)

    assert await tracking.states(held) == ["identity_pending", "registered"]


async def test_a_release_that_is_heard_of_first_is_not_taken_back(tracking, pending, release, new_code):
    code = new_code()
    await release(code)
    await tracking.bus.handle(pending(code, applicant=TYPED))

    assert await tracking.state(code) == "registered"
    assert await tracking.states(code) == ["identity_pending", "registered"]


async def test_an_unconfirmed_identity_is_told_to_the_next_province(tracking, held, release):
    await release(held, identity="unconfirmed", applicant=TYPED)
    await tracking.report("case-referred", held)

    [referred] = await tracking.announced("request-referred")
    assert referred["data"]["identity"] == "unconfirmed"


@pytest.mark.parametrize("reason", list(RejectionReason))
async def test_a_rejected_identity_ends_the_request_and_says_what_to_do(tracking, held, identity_rejected, reason):
    await tracking.bus.handle(identity_rejected(held, reason.value))

    view = (await tracking.ask(held)).json()
    assert (view["state"], view["state_title"]) == ("identity_rejected", "هویت تأیید نشد")
    assert view["history"][-1]["note"] == REJECTIONS[reason]
    [changed] = await tracking.announced("request-status-changed")
    assert (changed["routing_key"], changed["seq"]) == ("request-status-changed.isfahan", 3)
    assert (changed["data"]["state"], changed["data"]["note"]) == ("identity_rejected", REJECTIONS[reason])
    assert changed["data"]["contact"]["mobile"] == "+989123456789"


async def test_a_rejection_that_is_heard_of_first_comes_again(tracking, pending, identity_rejected, new_code):
    code = new_code()
    rejection = identity_rejected(code)
    with pytest.raises(CaseUnknownError):
        await tracking.bus.handle(rejection)

    await tracking.bus.handle(pending(code, applicant=TYPED))
    await tracking.bus.handle(rejection)

    assert await tracking.state(code) == "identity_rejected"


async def test_a_rejection_of_a_request_that_went_on_changes_nothing(tracking, held, release, identity_rejected):
    await release(held)
    await tracking.bus.handle(identity_rejected(held))

    assert await tracking.state(held) == "registered"
    assert await tracking.announced() == []


async def test_a_report_of_a_province_that_hears_of_the_release_first_comes_again(tracking, held, release, report):
    received = report("case-received", held)
    with pytest.raises(CaseUnknownError):
        await tracking.bus.handle(received)

    await release(held)
    await tracking.bus.handle(received)

    assert await tracking.state(held) == "received"
    assert await tracking.refusals(held) == []


async def test_a_case_whose_applicant_is_not_known_is_none_to_a_province(tracking, held, report):
    await tracking.bus.handle(replace(report("case-answered", held), last_attempt=True))

    assert await tracking.state(held) == "identity_pending"
    assert [reason for *_, reason in await tracking.refusals(held)] == ["unknown_case"]


async def test_a_province_cannot_report_on_a_rejected_request(tracking, held, identity_rejected):
    await tracking.bus.handle(identity_rejected(held))
    await tracking.report("case-answered", held)

    assert await tracking.state(held) == "identity_rejected"
    assert [reason for *_, reason in await tracking.refusals(held)] == ["illegal_move"]


@pytest.mark.parametrize("state", ["registered", "identity_pending", "identity_rejected"])
async def test_intake_says_where_a_request_stands_that_tracking_has_not_heard_of(
    tracking, new_code, request_data, state
):
    code = new_code()
    tracking.peers.requests[NATIONAL_ID, code] = request_data(code) | {"state": state}

    assert (await tracking.ask(code)).json()["state"] == state


async def test_a_foreign_national_finds_a_request(tracking, pending, new_code):
    code = new_code()
    await tracking.bus.handle(pending(code, applicant=TYPED | {"national_id": FOREIGN_CODE}))

    assert (await tracking.ask(code, "۱۲۳۴ ۵۶۷۸ ۹۰۱۲")).json()["state"] == "identity_pending"


@pytest.mark.parametrize("number", ["12345678901", "1234567890123", "111111111111"])
async def test_what_is_neither_national_id_nor_foreign_code_is_refused(tracking, held, number):
    [error] = (await tracking.ask(held, number)).json()["errors"]

    assert error["field"] == "national_id"


# when the civil registry was asked


async def test_the_applicant_sees_when_the_registry_was_asked_and_for_what(tracking, held):
    tracking.peers.registry = httpx.Response(200, json={"lookups": LOOKUPS})

    assert (await tracking.ask(held)).json()["registry_lookups"] == LOOKUPS
    assert tracking.peers.asked_of("/internal/lookups") == [("/internal/lookups", {"national_id": NATIONAL_ID})]


async def test_it_is_shown_for_a_request_tracking_has_not_heard_of_too(tracking, new_code, request_data):
    code = new_code()
    tracking.peers.requests[NATIONAL_ID, code] = request_data(code)
    tracking.peers.registry = httpx.Response(200, json={"lookups": LOOKUPS})

    assert (await tracking.ask(code)).json()["registry_lookups"] == LOOKUPS


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
async def test_without_registry_gateway_the_rest_of_the_page_is_shown(tracking, held, answer):
    tracking.peers.registry = answer

    view = (await tracking.ask(held)).json()

    assert view["registry_lookups"] is None
    assert view["state"] == "identity_pending"
    assert tracking.parts.telemetry.registry.get_sample_value("desk_lookups_missing_total") == 1


async def test_nobody_is_looked_after_who_does_not_know_the_code(tracking, held, new_code):
    await tracking.ask(new_code())

    assert tracking.peers.asked_of("/internal/lookups") == []
