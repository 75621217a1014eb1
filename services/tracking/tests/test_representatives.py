"""Requests that another person sent, or an office registered, for the applicant."""

import pytest

REPRESENTATIVE = {"name": "علی محمدی", "national_id": "8275737168", "mobile": "+989127654321"}
REGISTRATION = {"office": {"key": "isfahan", "name": "اصفهان"}, "expert": "n.baran", "mobile_owner": "none"}
ORIGIN = {"source": "counter", "representative": REPRESENTATIVE, "registration": REGISTRATION}


async def test_another_office_learns_by_a_referral_who_registered_the_request(tracking):
    code = await tracking.submit(**ORIGIN)

    await tracking.report("case-referred", code)

    [referred] = await tracking.published("request-referred")
    assert {name: referred["data"][name] for name in ORIGIN} == ORIGIN


async def test_an_event_of_an_earlier_desk_has_no_origin(tracking):
    code = await tracking.submit()

    await tracking.report("case-referred", code)

    [referred] = await tracking.published("request-referred")
    assert (referred["data"]["source"], referred["data"]["registration"]) == ("web", None)


async def test_the_applicant_reads_who_sent_the_request_but_no_number_of_that_person(tracking):
    code = await tracking.submit(**ORIGIN)

    shown = await tracking.look_up(code)

    assert (shown.json()["source"], shown.json()["representative"]) == ("counter", "علی محمدی")
    assert REPRESENTATIVE["national_id"] not in shown.text


async def test_an_applicant_without_a_mobile_reads_an_empty_one(tracking, request_data):
    contact = request_data("0" * 12)["contact"] | {"mobile": ""}
    code = await tracking.submit(contact=contact)

    assert (await tracking.look_up(code)).json()["contact"]["mobile"] == ""


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_the_database_does_not_contain_the_representative_in_clear(tracking):
    await tracking.submit(**ORIGIN)

    stored = tracking.stored_bytes()
    for value in REPRESENTATIVE.values():
        assert value.encode() not in stored
