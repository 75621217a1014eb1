"""Requests that an office registers for a person, at its counter or on the telephone."""

import asyncio
import json
import uuid
from dataclasses import replace

import httpx
import pytest

from desk.chassis.crypto import TokenIssuer
from desk.testing.event_keys import decrypted

MOBILE = "+989123456789"
NAMES = {"first_name": "زهرا", "last_name": "رضایی‌نژاد", "gender": "female"}


@pytest.fixture
def office_call(desk, province_private_keys):
    """Make a signed call of an office."""

    async def office_call(path, body, *, office="isfahan", key=None, audience="desk.counter"):
        assertion = TokenIssuer(province_private_keys[office], office).issue({}, audience=audience, seconds=60)[0]
        headers = {"Authorization": f"Bearer {assertion}"} | ({"Idempotency-Key": key} if key else {})
        return await desk.client.post(f"/api/office/{path}", json=body, headers=headers)

    return office_call


@pytest.fixture
def look_up(desk, office_call, zahra):
    async def look_up(office="isfahan", expert="n.baran"):
        token = desk.token(zahra | {"office": office})
        expires_at = "2026-12-13T11:30:00Z"
        desk.registry.answer = {"status": "matched", **NAMES, "token": token, "expires_at": expires_at}
        person = {"national_id": zahra["sub"], "birth_date": zahra["birth_date"], "expert": expert}
        return await office_call("identities", person, office=office)

    return look_up


@pytest.fixture
def form(desk, zahra):
    def form(office="isfahan", **changes):
        usual = desk.form()
        for name in ("captcha", "again", "email", "landline"):
            del usual[name]
        return usual | {
            "identity_token": desk.token(zahra | {"office": office}),
            "source": "counter",
            "expert": "n.baran",
            "mobile_owner": "own",
            "mobile_code": desk.captcha.send_code(MOBILE),
            **changes,
        }

    return form


@pytest.fixture
def register(office_call, form):
    async def register(body=None, *, office="isfahan", key="", **changes):
        return await office_call(
            "requests", body or form(office, **changes), office=office, key=key or str(uuid.uuid4())
        )

    return register


@pytest.fixture
def entries(desk):
    async def entries():
        return await desk.select("SELECT actor, action, subject, about FROM audit_entry ORDER BY at")

    return entries


@pytest.fixture
def event_data(desk):
    async def event_data():
        [message] = await desk.events()
        return decrypted(message.body, "tracking")["data"]

    return event_data


async def test_an_office_reads_the_names_of_a_person_and_this_is_recorded(desk, look_up, entries, zahra):
    answer = await look_up()

    assert answer.status_code == 200
    assert {name: answer.json()[name] for name in NAMES} == NAMES
    assert answer.headers["cache-control"] == "no-store"
    assert desk.registry.asked == [
        {"national_id": zahra["sub"], "birth_date": zahra["birth_date"], "office": "isfahan"}
    ]
    subject = desk.parts.vault.index(zahra["sub"], "national_id")
    assert await entries() == [("office isfahan", "identity_looked_up", subject, "matched by n.baran")]


@pytest.mark.parametrize("code", ["identity_not_matched", "identity_deceased", "identity_referred"])
async def test_a_verdict_of_the_registry_reaches_the_office_and_is_recorded(desk, office_call, entries, zahra, code):
    desk.registry.answer = httpx.Response(404, json={"code": code})

    person = {"national_id": zahra["sub"], "birth_date": "1350-01-01", "expert": "n.baran"}
    answer = await office_call("identities", person)

    assert answer.json()["code"] == code
    assert [about for *_, about in await entries()] == [f"{code} by n.baran"]


async def test_a_used_up_limit_reaches_the_office_with_the_time_to_wait(desk, office_call, zahra):
    desk.registry.answer = httpx.Response(429, json={"code": "budget_exhausted"}, headers={"Retry-After": "77"})

    person = {"national_id": zahra["sub"], "birth_date": zahra["birth_date"], "expert": "n.baran"}
    answer = await office_call("identities", person)

    assert (answer.status_code, answer.json()["code"]) == (429, "budget_exhausted")
    assert answer.headers["retry-after"] == "77"


async def test_a_wrong_field_is_named_as_registry_gateway_names_it(desk, office_call, zahra):
    wrong = {"field": "birth_date", "code": "day", "message": "این ماه چنین روزی ندارد."}
    desk.registry.answer = httpx.Response(422, json={"code": "validation_failed", "errors": [wrong]})

    person = {"national_id": zahra["sub"], "birth_date": "1361-12-31", "expert": "n.baran"}
    answer = await office_call("identities", person)

    assert (answer.status_code, answer.json()["errors"]) == (422, [wrong])


async def test_a_look_up_without_an_answer_is_recorded(desk, office_call, entries, zahra):
    desk.registry.answer = httpx.ConnectError("down")

    person = {"national_id": zahra["sub"], "birth_date": zahra["birth_date"], "expert": "n.baran"}
    answer = await office_call("identities", person)

    assert answer.status_code == 503
    assert [about for *_, about in await entries()] == ["service_unavailable by n.baran"]


async def test_a_registered_request_names_its_source_and_who_helped(register, event_data, entries):
    answer = await register(source="phone")

    assert answer.status_code == 201, answer.text
    assert (answer.json()["source"], answer.json()["mobile_masked"][:4]) == ("phone", "0912")
    data = await event_data()
    assert data["source"] == "phone"
    assert data["registration"] == {
        "office": {"key": "isfahan", "name": "اصفهان"},
        "expert": "n.baran",
        "mobile_owner": "own",
    }
    assert data["applicant"]["last_name"] == NAMES["last_name"]
    code = answer.json()["tracking_code"]
    assert await entries() == [("office isfahan", "request_registered", code, "phone by n.baran")]


async def test_a_person_without_a_mobile_needs_no_code(register, event_data, desk):
    answer = await register(mobile="", mobile_owner="none", mobile_code=None)

    assert answer.status_code == 201, answer.text
    assert answer.json()["mobile_masked"] == ""
    assert (await event_data())["contact"]["mobile"] == ""
    assert await desk.select("SELECT mobile_index, mobile_proven FROM request") in ([(None, 0)], [(None, False)])


async def test_the_mobile_of_a_helper_is_not_proven_to_be_the_applicant_s(register, event_data, desk):
    answer = await register(mobile_owner="helper")

    assert answer.status_code == 201, answer.text
    assert (await event_data())["registration"]["mobile_owner"] == "helper"
    [(proven,)] = await desk.select("SELECT mobile_proven FROM request")
    assert not proven


async def test_a_landline_reaches_the_event_as_one_from_the_pages(register, event_data):
    answer = await register(landline={"area_code": "۰۳۱", "number": "۳۲۲۱۱۲۳۴"})

    assert answer.status_code == 201, answer.text
    assert (await event_data())["contact"]["landline"] == "+983132211234"


async def test_a_representative_may_come_to_the_counter(register, event_data):
    representative = {"name": "علی محمدی", "national_id": "8275737168", "mobile": "09127654321"}
    answer = await register(representative=representative)

    assert answer.json()["representative"] == "علی محمدی"
    assert (await event_data())["representative"]["mobile"] == "+989127654321"


async def test_a_mobile_needs_the_code_that_was_sent_to_it(desk, register):
    codes = [
        (await register(mobile_code=code)).json()["code"]
        for code in (
            None,
            desk.captcha.send_code("+989120000000"),
            desk.captcha.send_code(MOBILE) | {"answer": "11111"},
        )
    ]

    assert codes == ["mobile_code_required", "mobile_code_expired", "mobile_code_wrong"]
    assert await desk.count("request") == 0


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"mobile": "", "mobile_owner": "own"}, "mobile_owner"),
        ({"mobile_owner": "none"}, "mobile_owner"),
        ({"mobile": "+491512345678"}, "mobile"),
        ({"source": "web"}, "source"),
        ({"expert": "نرگس باران"}, "expert"),
        ({"text": "کم"}, "text"),
    ],
)
async def test_a_wrong_field_is_named(register, changes, field):
    answer = await register(**changes)

    assert answer.status_code == 422
    assert [each["field"] for each in answer.json()["errors"]] == [field]


async def test_an_office_registers_for_its_own_province_only(register):
    answer = await register(office="qom")

    assert (answer.status_code, answer.json()["code"]) == (403, "province_of_other_office")


async def test_headquarters_registers_for_any_province(register, event_data):
    answer = await register(office="headquarters")

    assert answer.status_code == 201, answer.text
    assert (await event_data())["registration"]["office"]["key"] == "headquarters"


async def test_a_token_of_another_office_or_of_the_pages_is_refused(desk, register, form):
    for token in (desk.token(), desk.token(desk_claims("qom"))):
        answer = await register(form() | {"identity_token": token})
        assert (answer.status_code, answer.json()["code"]) == (403, "identity_of_other_office")
    assert (await register(form() | {"identity_token": "x.y.z"})).json()["code"] == "identity_token_invalid"


def desk_claims(office):
    return {"sub": "0013542419", "birth_date": "1361-12-05", "status": "matched", "office": office} | NAMES


async def test_a_pending_identity_is_registered_with_typed_names(register, desk):
    pending = {"sub": "0013542419", "birth_date": "1361-12-05", "status": "pending", "office": "isfahan"}
    answer = await register(identity_token=desk.token(pending), applicant=NAMES)

    assert (answer.status_code, answer.json()["state"]) == (201, "identity_pending")
    [message] = await desk.events()
    assert decrypted(message.body, "tracking")["data"]["source"] == "counter"


async def test_a_repeat_returns_the_same_receipt_and_one_entry(register, form, entries):
    body, key = form(), str(uuid.uuid4())
    first = await register(body, key=key)
    second = await register(body, key=key)

    assert second.json() == first.json()
    assert len(await entries()) == 1


async def test_a_registered_request_can_have_files(desk, register, form):
    body = form()
    file_id = await desk.attachment(body["identity_token"])

    answer = await register(body | {"attachments": [file_id]})

    assert answer.json()["attachments"] == 1


@pytest.mark.parametrize("path", ["identities", "mobile-codes", "requests"])
async def test_no_route_is_open_without_the_assertion_for_the_counter(desk, office_call, form, path):
    bodies = {
        "identities": {"national_id": "0013542419", "birth_date": "1361-12-05", "expert": "n"},
        "mobile-codes": {"mobile": MOBILE},
        "requests": form(),
    }
    key = str(uuid.uuid4())
    bare = await desk.client.post(f"/api/office/{path}", json=bodies[path], headers={"Idempotency-Key": key})
    other = await office_call(path, bodies[path], audience="desk.files", key=key)

    assert (bare.status_code, bare.json()["code"]) == (401, "assertion_missing")
    assert (other.status_code, other.json()["errors"][0]["field"]) == (401, "aud")


async def test_a_code_is_sent_and_used(desk, office_call, register):
    sent = await office_call("mobile-codes", {"mobile": "09123456789"})

    assert sent.status_code == 201
    answer = await register(mobile_code={"id": sent.json()["id"], "answer": "54321"})
    assert answer.status_code == 201, answer.text


async def test_codes_are_counted_for_the_office_before_they_are_sent(desk, office_call):
    desk.replace_services(counter=replace(desk.app.state.services.counter, codes_per_office="3/hour"))

    answers = await asyncio.gather(*(office_call("mobile-codes", {"mobile": MOBILE}) for _ in range(20)))
    other = await office_call("mobile-codes", {"mobile": MOBILE}, office="qom")

    assert sum(each.status_code == 201 for each in answers) == 3
    assert other.status_code == 201


async def test_a_mobile_that_has_had_its_codes_is_named(desk, office_call):
    desk.captcha.override = httpx.Response(429, json={"code": "codes_exhausted"}, headers={"Retry-After": "9"})

    answer = await office_call("mobile-codes", {"mobile": MOBILE})

    assert (answer.status_code, answer.json()["code"]) == (429, "codes_exhausted")


async def test_registrations_are_counted_for_the_office(desk, register):
    desk.limit_requests(per_office="1/hour")

    first = await register()
    second = await register(text="درخواست دیگری دربارهٔ قبض ودیعه.")

    assert (first.status_code, second.status_code) == (201, 429)


async def test_nothing_personal_of_a_registration_is_stored_in_clear(desk, register):
    await register()

    written = await desk.written()
    for value in ("0013542419", MOBILE, NAMES["last_name"]):
        assert value.encode() not in written
        assert json.dumps(value).encode() not in written


async def test_the_token_of_an_office_is_not_accepted_by_the_public_route(desk, problem_of, zahra):
    token = desk.token(zahra | {"office": "isfahan"})

    assert problem_of(await desk.submit(token=token, province="tehran"), 401)["code"] == "identity_token_invalid"


async def test_a_number_in_other_digits_is_the_same_person_in_the_audit_log(desk, office_call, look_up, entries, zahra):
    await look_up()
    typed = zahra["sub"].translate(str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹"))
    person = {"national_id": f"{typed} ", "birth_date": zahra["birth_date"], "expert": "n.baran"}
    await office_call("identities", person)

    subjects = {subject for _, action, subject, _ in await entries() if action == "identity_looked_up"}
    assert subjects == {desk.parts.vault.index(zahra["sub"], "national_id")}
