"""Synthetic requests of desk-probe: who may submit one, who learns of it, and when it is deleted."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from desk.chassis.client_assertions import ClientAssertions
from desk.chassis.crypto import TokenIssuer, new_key_pair
from desk.intake.app import PROBE_AUDIENCE
from desk.testing.event_keys import decrypted
from desk.testing.service_keys import key_pair

PRIVATE_KEY = key_pair("probe")[0]


def assertion(private_key=PRIVATE_KEY, issuer="probe", audience="desk.probe.intake", seconds=60, **claims):
    return TokenIssuer(private_key, issuer).issue(claims, audience=audience, seconds=seconds)[0]


async def submit(desk, token, **body):
    """Call the route as a program that knows it, without the token of a service."""
    transport = httpx.ASGITransport(desk.app, client=("192.0.2.9", 1))
    headers = {"authorization": f"Bearer {token}"} if token else {}
    async with httpx.AsyncClient(transport=transport, base_url="http://intake") as client:
        return await client.post("/api/probe/requests", json=body, headers=headers)


async def test_it_is_stored_as_a_request_and_published_to_tracking_alone(desk):
    answer = await submit(desk, assertion())

    assert answer.status_code == 201
    code = answer.json()["tracking_code"]
    assert await desk.select("SELECT tracking_code, province, office, mobile_index FROM request") == [
        (code, "probe", "probe", None)
    ]
    [event] = await desk.events()
    assert event.routing_key == "request-probed.probe"
    assert decrypted(event.body, "tracking")["data"]["tracking_code"] == code
    keys = {each["header"]["kid"] for each in json.loads(event.body)["data"]["recipients"]}
    assert len(keys) == 1, "no office and not notifier can decrypt it"


async def test_tracking_does_not_compare_it_with_its_cases_and_no_person_owns_it(desk):
    code = (await submit(desk, assertion())).json()["tracking_code"]
    own = (await desk.submit()).json()["tracking_code"]
    period = {"since": (datetime.now(UTC) - timedelta(1)).isoformat(), "until": datetime.now(UTC).isoformat()}

    listed = await desk.client.post("/internal/requests/codes", json=period | {"after": "", "limit": 100})

    assert [each["tracking_code"] for each in listed.json()["requests"]] in ([own], [])  # of this second or earlier
    for number in ("0013542419", "0000000000"):
        body = {"national_id": number, "tracking_code": code}
        found = await desk.client.post("/internal/requests/find", json=body)
        assert found.status_code in {404, 422}, number


REFUSED = {
    "no assertion": (lambda: None, "assertion_missing"),
    "the key of an office": (lambda: assertion(new_key_pair()[0], "isfahan"), "assertion_invalid"),
    "the token of a service": (
        lambda: assertion(key_pair("tracking")[0], "tracking", audience="intake"),
        "assertion_invalid",
    ),
    "the key of a service under the name of the probe": (
        lambda: assertion(key_pair("tracking")[0]),
        "assertion_invalid",
    ),
    "an assertion for tracking": (lambda: assertion(audience="desk.probe.tracking"), "assertion_invalid"),
    "an expired one": (lambda: assertion(seconds=-120), "assertion_invalid"),
    "one that is valid for an hour": (lambda: assertion(seconds=3600), "assertion_invalid"),
    "text": (lambda: "probe", "assertion_invalid"),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_other_callers_are_refused(desk, nothing, name):
    create, code = REFUSED[name]
    answer = await submit(desk, create())
    assert (answer.status_code, answer.json()["code"]) == (401, code)
    assert await desk.stored() == nothing


async def test_an_office_with_a_key_is_refused_too(desk, nothing, province_private_keys):
    for audience in ("desk.probe.intake", "desk.counter", "desk.files"):
        answer = await submit(desk, assertion(province_private_keys["isfahan"], "isfahan", audience=audience))
        assert (answer.status_code, answer.json()["code"]) == (401, "assertion_invalid")
    assert await desk.stored() == nothing


async def test_an_assertion_is_good_for_one_call(desk):
    token = assertion()
    assert (await submit(desk, token)).status_code == 201
    replayed = await submit(desk, token)
    assert (replayed.status_code, replayed.json()["code"]) == (401, "assertion_reused")
    assert await desk.count("request") == 1


async def test_its_assertion_submits_nothing_for_a_person(desk, nothing, zahra):
    token = assertion(**zahra)
    refused = await desk.submit(token=token)
    assert (refused.status_code, refused.json()["code"]) == (401, "identity_token_invalid")
    assert await desk.stored() == nothing

    person = {"national_id": zahra["sub"], "applicant": zahra, "province": "isfahan", "mobile": "09123456789"}
    assert (await submit(desk, assertion(**zahra), **person)).status_code == 201
    assert await desk.select("SELECT province, mobile_index FROM request") == [("probe", None)]
    indexes = desk.parts.vault.indexes(zahra["sub"], "national_id")
    assert not set(indexes) & {row[0] for row in await desk.select("SELECT owner_index FROM request")}


async def test_the_holder_of_the_key_cannot_fill_the_database(desk):
    answers = [await submit(desk, assertion()) for _ in range(11)]
    assert [each.status_code for each in answers] == [201] * 10 + [429]
    assert await desk.count("request") == 10


async def test_it_is_deleted_after_an_hour_with_its_key_and_requests_of_people_stay(desk):
    old, new = [(await submit(desk, assertion())).json()["tracking_code"] for _ in range(2)]
    own = (await desk.submit()).json()["tracking_code"]
    for code in (old, own):
        await desk.change(
            "UPDATE request SET submitted_at = :at WHERE tracking_code = :code",
            at=(datetime.now(UTC) - timedelta(minutes=61)).replace(tzinfo=None)
            if desk.parts.database.engine.name == "sqlite"
            else datetime.now(UTC) - timedelta(minutes=61),
            code=code,
        )

    probes = desk.app.state.services.probes
    for _ in range(2):
        assert await probes.prune() is None
        assert {row[0] for row in await desk.select("SELECT tracking_code FROM request")} == {new, own}
        assert await desk.count("data_key") == 2


async def test_without_a_key_in_the_settings_every_call_is_refused(desk, nothing):
    keys = desk.settings.model_copy(update={"probe_public_key": None}).probe_keys
    probes = desk.app.state.services.probes
    assertions = ClientAssertions(keys, PROBE_AUDIENCE, probes.rate_limits, probes.assertions._audit)
    desk.replace_services(probes=replace(probes, assertions=assertions))

    answer = await submit(desk, assertion())

    assert (answer.status_code, answer.json()["code"]) == (401, "assertion_invalid")
    assert await desk.stored() == nothing
