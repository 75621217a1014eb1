"""Requests that another person sends for the applicant."""

import pytest

from desk.testing.event_keys import decrypted

REPRESENTATIVE = {"name": "علی محمدی", "national_id": "۸۲۷۵۷۳۷۱۶۸", "mobile": "۰۹۱۲۷۶۵۴۳۲۱"}
STORED = {"name": "علی محمدی", "national_id": "8275737168", "mobile": "+989127654321"}


@pytest.fixture
def event_data(desk):
    async def event_data():
        [message] = await desk.events()
        return decrypted(message.body, "tracking")["data"]

    return event_data


async def test_the_event_names_the_representative_apart_from_the_applicant(desk, event_data):
    answer = await desk.submit(representative=REPRESENTATIVE)

    assert answer.status_code == 201
    data = await event_data()
    assert data["representative"] == STORED
    assert data["applicant"]["national_id"] == "0013542419"
    assert data["contact"]["mobile"] == "+989123456789"
    assert (data["source"], data["registration"]) == ("web", None)


async def test_a_request_of_the_applicant_alone_has_no_representative(desk, event_data):
    answer = await desk.submit()

    assert (answer.json()["source"], answer.json()["representative"]) == ("web", None)
    data = await event_data()
    assert (data["source"], data["representative"], data["registration"]) == ("web", None, None)


async def test_the_receipt_names_the_representative(desk):
    assert (await desk.submit(representative=REPRESENTATIVE)).json()["representative"] == "علی محمدی"


async def test_the_representative_is_encrypted_in_the_database(desk):
    await desk.submit(representative=REPRESENTATIVE)

    [(personal,)] = await desk.select("SELECT personal FROM request")
    for value in STORED.values():
        assert value.encode() not in personal


async def test_a_repeat_with_the_same_representative_returns_the_same_request(desk):
    form = desk.form(representative=REPRESENTATIVE)
    first = await desk.submit(form, key="0" * 32)

    repeated = await desk.submit(form, key="0" * 32)
    other = await desk.submit(form | {"representative": REPRESENTATIVE | {"name": "رضا محمدی"}}, key="0" * 32)

    assert repeated.json() == first.json()
    assert other.json()["code"] == "idempotency_key_reused"


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("name", "", "name_length"),
        ("name", "علی ۲", "name_letters"),
        ("national_id", "8275737169", "national_id_check_digit"),
        ("mobile", "0912", "mobile_format"),
        ("national_id", "0013542419", "representative_is_applicant"),
    ],
)
async def test_a_wrong_field_of_the_representative_is_named(desk, field, value, code):
    answer = await desk.submit(representative=REPRESENTATIVE | {field: value})

    assert answer.status_code == 422
    assert [(each["field"], each["code"]) for each in answer.json()["errors"]] == [(f"representative.{field}", code)]


async def test_tracking_finds_the_representative_of_a_request(desk):
    code = (await desk.submit(representative=REPRESENTATIVE)).json()["tracking_code"]

    form = {"national_id": "0013542419", "tracking_code": code}
    found = await desk.client.post("/internal/requests/find", json=form)

    assert (found.json()["source"], found.json()["representative"]) == ("web", STORED)
