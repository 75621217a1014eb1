"""Requests whose applicant the civil registry could not identify: accepted, held back, and checked later, once."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from desk.chassis.telemetry import Telemetry
from desk.intake.domain import Outcome, Verdict, next_check
from desk.intake.workers.identity_check import IdentityCheck
from desk.testing.event_keys import decrypted

measure = IdentityCheck.run_once
pytestmark = pytest.mark.usefixtures("no_checks_in_the_background")

sqlite_only = pytest.mark.parametrize("database_kind", ["sqlite"])
"""For a test of forms and answers, which do not depend on the database."""

PENDING = {"sub": "0013542419", "birth_date": "1361-12-05", "status": "pending", "id_kind": "national_id"}
FOREIGNER = {"sub": "123456789012", "birth_date": "1361-12-05", "status": "pending", "id_kind": "foreign_code"}
TYPED = {"first_name": "زهره", "last_name": "رضائی", "gender": "female"}
BY_THE_REGISTRY = {"first_name": "زهرا", "last_name": "رضایی‌نژاد", "gender": "female"}
MATCHED = {"outcome": "matched", **BY_THE_REGISTRY}


@pytest.fixture
def submit(desk):
    """Submit a request with a pending identity."""

    async def submit(person=PENDING, *, key="", **changes):
        changes = {"applicant": TYPED, **changes}
        form = desk.form(**{name: value for name, value in changes.items() if value is not None})
        return await desk.submit(form, key=key, token=desk.token(person))

    return submit


@pytest.fixture
def check(desk, identity_check):
    """Make the next check due, and check once."""

    async def check():
        await desk.change("UPDATE identity_check SET next_check_at = '2026-01-01 00:00:00.000000'")
        return await identity_check().check_next()

    return check


async def published_events(desk, count):
    return [decrypted(message.body, "tracking") | {"key": message.routing_key} for message in await desk.events(count)]


async def waits(desk):
    """Return in how many seconds the check is due."""
    [(at,)] = await desk.select("SELECT next_check_at FROM identity_check")
    moment = at if isinstance(at, datetime) else datetime.fromisoformat(at).replace(tzinfo=UTC)
    return (moment - datetime.now(UTC)).total_seconds()


async def test_a_request_is_accepted_although_the_registry_has_not_answered(submit):
    answer = await submit()

    assert answer.status_code == 201, answer.text
    assert answer.json()["state"] == "identity_pending"


async def test_a_request_with_a_known_identity_is_registered_immediately(desk):
    assert (await desk.submit()).json()["state"] == "registered"
    assert await desk.count("identity_check") == 0


async def test_no_province_receives_a_request_whose_identity_is_pending(desk, submit):
    code = (await submit()).json()["tracking_code"]

    [event] = await published_events(desk, 1)
    assert event["key"] == "request-pending.isfahan"
    assert (event["subject"], event["seq"]) == (code, 1)
    assert event["data"]["applicant"] == TYPED | {"national_id": PENDING["sub"], "birth_date": PENDING["birth_date"]}


async def test_the_event_contains_that_the_registry_has_confirmed_the_names(desk):
    await desk.submit()

    [event] = await published_events(desk, 1)
    assert event["data"]["identity"] == "confirmed"


@sqlite_only
async def test_missing_names_are_reported_at_each_field(desk, submit, problem_of, nothing):
    problem = problem_of(await submit(applicant=None), 422)

    assert problem["code"] == "applicant_missing"
    assert [error["field"] for error in problem["errors"]] == [
        "applicant.first_name",
        "applicant.last_name",
        "applicant.gender",
    ]
    assert await desk.stored() == nothing


async def test_typed_names_are_refused_if_the_registry_has_answered(desk, problem_of, nothing):
    problem = problem_of(await desk.submit(applicant=TYPED), 422)

    assert problem["code"] == "applicant_not_expected"
    assert await desk.stored() == nothing


@sqlite_only
@pytest.mark.parametrize(
    "name", ["", "  ", "\u200c", "ن" * 61, "علی1", "۱۲۳", "علی<b>", "علی;", "-", "a@b", "😀", "example.com", "O'Neil"]
)
@pytest.mark.parametrize("field", ["first_name", "last_name"])
async def test_an_invalid_name_is_refused_at_its_field(submit, problem_of, field, name):
    [error] = problem_of(await submit(applicant=TYPED | {field: name}), 422)["errors"]

    assert error["field"] == f"applicant.{field}"


@sqlite_only
@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        (" علي  رضا ", "علی رضا"),
        ("كمال", "کمال"),
        ("بی‌بی\u202e گل", "بی‌بی گل"),
        ("Anne-Marie Neil", "Anne-Marie Neil"),
        ("مُحَمَّد", "مُحَمَّد"),
    ],
)
async def test_a_name_is_normalised(desk, submit, typed, kept):
    assert (await submit(applicant=TYPED | {"first_name": typed})).status_code == 201

    [event] = await published_events(desk, 1)
    assert event["data"]["applicant"]["first_name"] == kept


@sqlite_only
async def test_an_unknown_gender_is_refused(submit, problem_of):
    [error] = problem_of(await submit(applicant=TYPED | {"gender": "other"}), 422)["errors"]

    assert error["field"] == "applicant.gender"


async def test_a_repeat_returns_the_same_response_after_the_check(submit, check, desk):
    first = await submit(key="the-same-key")
    desk.registry.answer = MATCHED
    await check()

    assert (await submit(key="the-same-key")).json() == first.json()
    assert await desk.count("request") == 1


async def test_a_repeat_after_the_registry_has_answered_is_not_a_second_request(desk, submit):
    first = await submit(key="the-same-key")

    again = await desk.submit(key="the-same-key")

    assert again.json() == first.json()
    assert await desk.count("request") == 1


async def test_the_same_key_with_other_names_is_refused(submit, problem_of):
    await submit(key="the-same-key")

    answer = await submit(key="the-same-key", applicant=TYPED | {"last_name": "دیگری"})

    assert problem_of(answer, 422)["code"] == "idempotency_key_reused"


async def test_the_registry_is_not_asked_before_its_time(desk, submit, identity_check):
    await submit()

    assert 50 < await waits(desk) < 61
    assert not await identity_check().check_next()
    assert desk.registry.asked == []


async def test_a_match_releases_the_request_under_the_registry_s_names(desk, submit, check):
    file_id = await desk.attachment(desk.token(PENDING))
    code = (await submit(attachments=[file_id])).json()["tracking_code"]
    desk.registry.answer = MATCHED

    assert await check()

    assert desk.registry.asked == [{"national_id": PENDING["sub"], "birth_date": PENDING["birth_date"]}]
    pending, released = await published_events(desk, 2)
    assert released["key"] == "request-submitted.isfahan"
    assert (released["subject"], released["seq"]) == (code, 2)
    assert released["data"]["identity"] == "confirmed"
    assert released["data"]["applicant"] == pending["data"]["applicant"] | BY_THE_REGISTRY
    assert [each["id"] for each in released["data"]["attachments"]] == [file_id]
    for unchanged in ("submitted_at", "due_at", "text", "contact"):
        assert released["data"][unchanged] == pending["data"][unchanged]


async def test_a_check_does_not_change_the_submitted_request(desk, submit, check):
    await submit()
    before = await desk.select("SELECT * FROM request")
    desk.registry.answer = MATCHED

    await check()

    assert await desk.select("SELECT * FROM request") == before
    assert await desk.select("SELECT state, outcome FROM identity_check") == [("confirmed", "matched")]


@pytest.mark.parametrize("outcome", ["not_matched", "deceased", "referred"])
async def test_a_negative_verdict_of_the_registry_ends_the_request(desk, submit, check, outcome):
    code = (await submit()).json()["tracking_code"]
    desk.registry.answer = {"outcome": outcome}

    await check()

    _, rejected = await published_events(desk, 2)
    assert rejected["key"] == "request-identity-rejected.isfahan"
    assert rejected["seq"] == 2
    assert rejected["data"]["tracking_code"] == code
    assert rejected["data"]["reason"] == outcome
    assert not await check(), "the check has ended"


@sqlite_only
@pytest.mark.parametrize(
    "answer",
    [
        {"outcome": "unavailable"},
        {"outcome": "matched"},
        {"outcome": "matched", "first_name": "زهرا", "last_name": "", "gender": "female"},
        {"outcome": "unclear"},
        httpx.Response(500),
        httpx.Response(429, json={"code": "budget_exhausted"}),
        httpx.Response(200, text="<html>"),
        httpx.ConnectError("no route"),
        httpx.ReadTimeout("slow"),
    ],
    ids=str,
)
async def test_an_ambiguous_response_is_retried(desk, submit, check, answer):
    await submit()
    desk.registry.answer = answer

    assert await check()

    assert await desk.select("SELECT state, tries FROM identity_check") == [("pending", 1)]
    assert 50 < await waits(desk) < 61
    assert await desk.count("outbox") == 1


async def test_the_registry_is_asked_again_when_it_opens(desk, submit, check):
    await submit()
    opens = datetime.now(UTC) + timedelta(hours=5)
    desk.registry.answer = {"outcome": "unavailable", "available_at": opens.isoformat()}

    await check()

    assert await waits(desk) == pytest.approx(5 * 3600, abs=10)


def test_the_back_off_is_limited_to_an_hour():
    now = datetime.now(UTC)

    def minutes(attempts, available_at=None):
        verdict = Verdict(Outcome.UNAVAILABLE, available_at=available_at)
        return (next_check(verdict, attempts=attempts, first_wait=timedelta(minutes=1), now=now) - now) / timedelta(
            minutes=1
        )

    assert [minutes(attempts) for attempts in (1, 2, 3, 6, 7, 100)] == [1, 2, 4, 32, 60, 60]
    assert minutes(1, now - timedelta(hours=1)) == 1, "an opening time in the past is ignored"
    assert minutes(1, now + timedelta(days=400)) == 24 * 60, "the registry is asked at least daily"


async def test_replicas_check_a_request_once(desk, submit, identity_check):
    await submit()
    await desk.change("UPDATE identity_check SET next_check_at = '2026-01-01 00:00:00.000000'")
    desk.registry.answer = MATCHED

    checked = await asyncio.gather(*(identity_check().check_next() for _ in range(5)))

    assert checked.count(True) == 1
    assert len(desk.registry.asked) == 1
    assert len(await published_events(desk, 2)) == 2


async def test_a_check_whose_lease_has_expired_has_no_effect(desk, submit, check):
    await submit()
    desk.registry.answer = MATCHED
    desk.registry.hold.clear()
    slow = asyncio.create_task(check())
    async with asyncio.timeout(60):
        while not desk.registry.asked:  # noqa: ASYNC110 - a list has no event to wait for
            await asyncio.sleep(0.01)
    other = asyncio.create_task(check())
    async with asyncio.timeout(60):
        while len(desk.registry.asked) < 2:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    desk.registry.hold.set()
    await asyncio.gather(slow, other)

    assert len(await published_events(desk, 2)) == 2
    assert await desk.select("SELECT state, tries FROM identity_check") == [("confirmed", 2)]


async def test_a_check_whose_event_cannot_be_stored_is_retried(desk, submit, check, monkeypatch):
    await submit()
    desk.registry.answer = MATCHED

    async def fail(*_values, **_named):
        raise RuntimeError("a bug")

    with monkeypatch.context() as broken:
        broken.setattr("desk.chassis.events.Outbox.add", fail)
        with pytest.raises(RuntimeError):
            await check()
    assert await desk.select("SELECT state FROM identity_check") == [("pending",)]

    await check()
    assert len(await published_events(desk, 2)) == 2


async def test_metrics_show_the_number_and_age_of_pending_identities(desk, submit, identity_check):
    await submit()
    await desk.change("UPDATE identity_check SET submitted_at = '2026-01-01 00:00:00.000000'")
    telemetry = Telemetry("another replica")

    await measure(identity_check(telemetry))

    assert telemetry.registry.get_sample_value("desk_identities_pending") == 1
    assert telemetry.registry.get_sample_value("desk_identities_oldest_pending_seconds") > 3600


# foreign nationals


@sqlite_only
async def test_a_foreign_national_s_code_is_accepted_and_masked(submit):
    answer = await submit(FOREIGNER)

    assert answer.status_code == 201, answer.text
    assert answer.json()["national_id_masked"] == "123*******12"


@pytest.mark.parametrize(
    "answer",
    [{"outcome": "unavailable", "reason": "foreign"}, {"outcome": "not_matched"}, {"outcome": "referred"}],
    ids=str,
)
async def test_a_foreign_national_without_a_match_is_published_as_unconfirmed(desk, submit, check, answer):
    await submit(FOREIGNER)
    desk.registry.answer = answer

    await check()

    _, released = await published_events(desk, 2)
    assert released["key"] == "request-submitted.isfahan"
    assert released["data"]["identity"] == "unconfirmed"
    assert released["data"]["applicant"]["last_name"] == TYPED["last_name"]


@sqlite_only
@pytest.mark.parametrize("person", [PENDING, FOREIGNER], ids=["national ID", "foreign code"])
@pytest.mark.parametrize("reason", ["closed", "quota", "unreachable", None])
async def test_a_registry_that_may_answer_later_is_asked_again(desk, submit, check, person, reason):
    await submit(person)
    desk.registry.answer = {"outcome": "unavailable", "reason": reason}
    for _ in range(10):
        await check()

    assert await desk.select("SELECT state FROM identity_check") == [("pending",)]
    assert await desk.count("outbox") == 1


async def test_a_foreign_national_with_a_match_is_confirmed(desk, submit, check):
    await submit(FOREIGNER)
    desk.registry.answer = MATCHED

    await check()

    _, released = await published_events(desk, 2)
    assert (released["data"]["identity"], released["data"]["applicant"]["first_name"]) == ("confirmed", "زهرا")


# queries of tracking


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        ({"outcome": "unavailable"}, "identity_pending"),
        (MATCHED, "registered"),
        ({"outcome": "not_matched"}, "identity_rejected"),
    ],
    ids=str,
)
async def test_tracking_gets_the_state_of_a_request(desk, submit, check, answer, state):
    code = (await submit()).json()["tracking_code"]
    desk.registry.answer = answer
    await check()

    form = {"national_id": PENDING["sub"], "tracking_code": code}
    assert (await desk.client.post("/internal/requests/find", json=form)).json()["state"] == state
    form = {"tracking_code": code}
    assert (await desk.client.post("/internal/requests/state", json=form)).json() == {"state": state}


@sqlite_only
@pytest.mark.parametrize("typed", ["123456789012", "۱۲۳۴۵۶۷۸۹۰۱۲", "1234-5678-9012"])
async def test_a_foreign_national_s_request_is_found(desk, submit, typed):
    code = (await submit(FOREIGNER)).json()["tracking_code"]

    form = {"national_id": typed, "tracking_code": code}
    assert (await desk.client.post("/internal/requests/find", json=form)).status_code == 200


async def test_the_database_contains_no_personal_data_of_a_check_in_clear(desk, submit, check):
    await submit()
    desk.registry.answer = MATCHED
    await check()

    written = await desk.written()
    for personal in (PENDING["sub"], *TYPED.values(), *BY_THE_REGISTRY.values()):
        if personal != "female":
            assert personal.encode() not in written
            assert json.dumps(personal).strip('"').encode() not in written
