"""Codes by SMS: required for unconfirmed identities, and the order of identity checks that follows from them."""

import asyncio
import json

import pytest

from desk.intake.service.mobile_proof import MobileProof

pytestmark = pytest.mark.usefixtures("no_checks_in_the_background")
sqlite_only = pytest.mark.parametrize("database_kind", ["sqlite"])
"""For a test of forms and answers, which do not depend on the database."""

PENDING = {"sub": "0013542419", "birth_date": "1361-12-05", "status": "pending", "id_kind": "national_id"}
FOREIGNER = {"sub": "123456789012", "birth_date": "1361-12-05", "status": "pending", "id_kind": "foreign_code"}
TYPED = {"first_name": "زهره", "last_name": "رضائی", "gender": "female"}
MATCHED = {"outcome": "matched", "first_name": "زهرا", "last_name": "رضایی‌نژاد", "gender": "female"}
MOBILE, OTHER = "+989123456789", "+989351112233"


@pytest.fixture
def submit(desk):
    """Submit a request with a pending identity and a proven mobile."""

    async def submit(person=PENDING, *, mobile=MOBILE, key="", **changes):
        changes = {"applicant": TYPED, "mobile": mobile, "mobile_code": desk.captcha.send_code(mobile), **changes}
        return await desk.submit(desk.form(**changes), key=key, token=desk.token(person))

    return submit


@pytest.fixture
def mode(desk):
    """Set who must prove their mobile."""

    def mode(value):
        submission = desk.app.state.services.submission
        object.__setattr__(submission, "mobile_proof", MobileProof(desk.parts.codes, value))

    return mode


async def proven(desk):
    return [bool(value) for (value,) in await desk.select("SELECT mobile_proven FROM request ORDER BY submitted_at")]


@pytest.mark.parametrize("person", [PENDING, FOREIGNER], ids=["national ID", "foreign code"])
async def test_an_unconfirmed_identity_needs_a_code(desk, submit, problem_of, nothing, person):
    problem = problem_of(await submit(person, mobile_code=None), 422)

    assert problem["code"] == "mobile_code_required"
    assert [error["field"] for error in problem["errors"]] == ["mobile_code"]
    assert desk.captcha.asked == [], "the security code is not used up"
    assert await desk.stored() == nothing

    assert (await submit(person)).status_code == 201
    assert await proven(desk) == [True]


async def test_a_confirmed_applicant_needs_no_code(desk):
    assert (await desk.submit()).status_code == 201
    assert [each["purpose"] for each in desk.captcha.asked] == ["submit"]
    assert await proven(desk) == [False]


@pytest.mark.parametrize("person", [PENDING, FOREIGNER], ids=["national ID", "foreign code"])
async def test_twenty_requests_without_a_proven_mobile_reach_no_office(desk, submit, nothing, person):
    wrong = {"id": "A" * 22, "answer": "12345"}

    answers = [await submit(person, mobile_code=wrong, key=f"attack-{number}") for number in range(20)]

    assert {answer.json()["code"] for answer in answers} == {"mobile_code_expired"}
    assert await desk.stored() == nothing


async def test_a_code_of_another_mobile_is_refused(desk, submit, problem_of, nothing):
    problem = problem_of(await submit(mobile=OTHER, mobile_code=desk.captcha.send_code(MOBILE)), 422)

    assert problem["code"] == "mobile_code_expired"
    assert [error["field"] for error in problem["errors"]] == ["mobile_code.answer"]
    assert await desk.stored() == nothing


async def test_a_proof_of_the_security_code_is_not_a_code_by_sms(desk, submit, problem_of):
    assert problem_of(await submit(mobile_code=desk.captcha.issue()), 422)["code"] == "mobile_code_expired"


async def test_a_wrong_code_does_not_use_the_security_code_up(desk, submit, problem_of):
    captcha, code = desk.captcha.issue(), desk.captcha.send_code(MOBILE)
    wrong = code | {"answer": "99999"}

    problem = problem_of(await submit(captcha=captcha, mobile_code=wrong, key="the-same-key"), 422)
    assert problem["code"] == "mobile_code_wrong"

    assert (await submit(captcha=captcha, mobile_code=code, key="the-same-key")).status_code == 201


async def test_a_wrong_security_code_does_not_use_the_code_up(desk, submit, problem_of):
    code = desk.captcha.send_code(MOBILE)
    wrong = desk.captcha.issue() | {"answer": "99999"}

    assert problem_of(await submit(captcha=wrong, mobile_code=code, key="first-key"), 422)["code"] == "captcha_wrong"
    assert (await submit(mobile_code=code, key="second-key")).status_code == 201


async def test_a_code_is_valid_for_one_request(desk, submit, problem_of):
    code = desk.captcha.send_code(MOBILE)
    await submit(mobile_code=code)

    assert problem_of(await submit(mobile_code=code), 422)["code"] == "mobile_code_expired"
    assert await desk.count("request") == 1


async def test_one_of_two_simultaneous_requests_with_a_code_is_stored(desk, submit):
    code = desk.captcha.send_code(MOBILE)

    answers = await asyncio.gather(*(submit(mobile_code=code) for _ in range(2)))

    assert sorted(answer.status_code for answer in answers) == [201, 422]


async def test_a_retried_submission_needs_no_new_code(submit):
    first = await submit(key="the-same-key")

    for again in ({}, {"mobile_code": None}):
        answer = await submit(key="the-same-key", **again)
        assert (answer.status_code, answer.json()["tracking_code"]) == (201, first.json()["tracking_code"])


@sqlite_only
@pytest.mark.parametrize("person", [PENDING, FOREIGNER], ids=["national ID", "foreign code"])
async def test_an_unconfirmed_identity_needs_an_iranian_mobile(desk, submit, problem_of, nothing, person):
    problem = problem_of(await submit(person, abroad=True, mobile="+4915123456789"), 422)

    assert (problem["code"], problem["errors"][0]["field"]) == ("mobile_not_iranian", "mobile")
    assert await desk.stored() == nothing


@sqlite_only
async def test_the_setting_always_requires_a_code_of_confirmed_applicants_too(desk, mode, problem_of):
    mode("always")

    assert problem_of(await desk.submit(), 422)["code"] == "mobile_code_required"
    assert (await desk.submit(mobile_code=desk.captcha.send_code(MOBILE))).status_code == 201
    assert (await desk.submit(abroad=True, mobile="+4915123456789")).status_code == 201, "no SMS reaches it"


@sqlite_only
async def test_the_setting_off_requires_no_code(desk, mode, submit):
    mode("off")

    assert (await submit(mobile_code=None)).status_code == 201
    assert (await submit(abroad=True, mobile="+4915123456789", mobile_code=None)).status_code == 201
    assert await proven(desk) == [False, False]


@sqlite_only
async def test_the_catalogue_says_who_must_prove_their_mobile(desk):
    assert (await desk.client.get("/api/catalog")).json()["limits"]["mobile_proof"] == "pending"


async def make_all_due(desk):
    await desk.change("UPDATE identity_check SET next_check_at = '2026-01-01 00:00:00.000000'")


async def test_the_real_person_is_checked_before_twelve_requests_of_an_attacker(desk, submit, identity_check):
    """The registry gives ten verdicts about a number in a day; the attacker's guesses must not use them up first."""
    assert (await desk.submit(mobile=MOBILE)).status_code == 201, "an earlier request of the real person"
    for number in range(12):
        guess = PENDING | {"birth_date": f"13{40 + number}-01-01"}
        assert (await submit(guess, mobile=f"+9890000000{number:02}")).status_code == 201
    real = (await submit(mobile=MOBILE)).json()["tracking_code"]
    await make_all_due(desk)
    desk.registry.answer = MATCHED

    assert await identity_check().check_next()

    assert desk.registry.asked == [{"national_id": PENDING["sub"], "birth_date": PENDING["birth_date"]}]
    published = [json.loads(message.body) for message in await desk.events(15)]
    assert [each["subject"] for each in published if each["seq"] == 2] == [real]


async def test_other_checks_of_the_number_wait_until_the_real_person_is_checked(desk, submit, identity_check):
    await desk.submit(mobile=MOBILE)
    await submit(PENDING | {"birth_date": "1340-01-01"}, mobile=OTHER)
    await submit(mobile=MOBILE)
    await make_all_due(desk)
    desk.registry.answer = {"outcome": "unavailable"}
    assert await identity_check().check_next()

    assert not await identity_check().check_next(), "the real person's check is due later, and the other one waits"

    await make_all_due(desk)
    desk.registry.answer = MATCHED
    assert await identity_check().check_next()
    assert await identity_check().check_next()
    assert [each["birth_date"] for each in desk.registry.asked] == ["1361-12-05", "1361-12-05", "1340-01-01"]


async def test_checks_of_other_numbers_do_not_wait(desk, submit, identity_check):
    await desk.submit(mobile=MOBILE)
    await submit(mobile=MOBILE)
    await submit(FOREIGNER, mobile=OTHER)
    await make_all_due(desk)
    await desk.change("UPDATE identity_check SET next_check_at = '2099-01-01 00:00:00.000000' WHERE mobile_known")

    assert await identity_check().check_next()
    assert [each["national_id"] for each in desk.registry.asked] == [FOREIGNER["sub"]]


async def test_the_mobile_of_a_rejected_request_is_not_known(desk, submit, identity_check):
    await submit(PENDING | {"birth_date": "1340-01-01"}, mobile=OTHER)
    await make_all_due(desk)
    desk.registry.answer = {"outcome": "not_matched"}
    await identity_check().check_next()

    await submit(PENDING | {"birth_date": "1341-01-01"}, mobile=OTHER)

    assert await desk.select("SELECT count(*) FROM identity_check WHERE mobile_known") == [(0,)]


async def test_the_mobile_of_a_later_confirmed_request_is_known(desk, submit, identity_check):
    await submit()
    await make_all_due(desk)
    desk.registry.answer = MATCHED
    await identity_check().check_next()

    await submit()

    assert await desk.select("SELECT count(*) FROM identity_check WHERE mobile_known") == [(1,)]


async def test_the_database_contains_no_mobile_that_can_be_read(desk, submit):
    await submit()
    written = await desk.written()
    assert b"9123456789" not in written
