"""The internal routes: confirm a pair, list look-ups, check a mobile."""

from dataclasses import replace
from datetime import datetime

import pytest
from pydantic import SecretStr, ValidationError
from support.registry_gateway import audit_of

from desk.iran.digits import to_persian
from desk.registry_gateway.adapters.people import mobile_of, people
from desk.registry_gateway.app import real_parts
from desk.registry_gateway.domain import FailureKind, UnansweredError
from desk.registry_gateway.settings import Settings

IDENTITIES, LOOKUPS, MOBILES = "/internal/identities", "/internal/lookups", "/internal/mobiles"


async def test_a_match_is_confirmed_with_the_registry_s_names(post, ask, living, audit):
    confirmed = await post(ask(living), path=IDENTITIES)

    identity = living.identity
    assert confirmed.status_code == 200
    assert confirmed.json() == {
        "outcome": "matched",
        "first_name": identity.first_name,
        "last_name": identity.last_name,
        "gender": identity.gender,
    }
    assert [(row.purpose, row.outcome, row.source_index) for row in await audit()] == [("confirm", "matched", "")]


async def test_other_outcomes_contain_no_names(post, ask, wrong, unknown, deceased):
    answers = [await post(body, path=IDENTITIES) for body in (wrong, unknown, ask(deceased))]

    assert [each.json() for each in answers] == [
        {"outcome": "not_matched"},
        {"outcome": "not_matched"},
        {"outcome": "deceased"},
    ]


async def test_a_referred_person_is_reported_as_referred(  # noqa: PLR0917 - fixtures
    gateway, over_http, simulator, poster, ask, living
):
    await simulator.turn(codes={living.identity.national_id.value: "err.cancellation.nin"})
    async with gateway(over_http) as app:
        assert (await poster(app)(ask(living), path=IDENTITIES)).json() == {"outcome": "referred"}


async def test_an_unavailable_registry_is_reported_with_its_reason(post, ask, living, registry):
    registry.failure = UnansweredError(FailureKind.CLOSED_HOURS, "login.time.diny")

    response = (await post(ask(living), path=IDENTITIES)).json()

    assert (response["outcome"], response["reason"]) == ("unavailable", "closed")
    assert datetime.fromisoformat(response["available_at"])


async def test_a_foreign_national_cannot_be_confirmed(post, ask, living, registry):
    response = await post(ask(living, national_id="999900000001"), path=IDENTITIES)

    assert response.json() == {"outcome": "unavailable", "reason": "foreign"}
    assert registry.asked == []


async def test_confirmations_do_not_count_for_a_source(post, ask, wrong, living):
    for _ in range(20):
        assert (await post(wrong, path=IDENTITIES)).status_code == 200

    assert (await post(ask(living))).status_code == 200


async def test_confirming_counts_in_the_day_s_quota(gateway, over_http, simulator, poster, ask):
    living = [person for person in people() if not person.deceased]
    async with gateway(over_http, daily_quota=2) as app:
        outcomes = [(await poster(app)(ask(living[n]), path=IDENTITIES)).json() for n in range(3)]

    assert [each["outcome"] for each in outcomes] == ["matched", "matched", "unavailable"]
    assert outcomes[2]["reason"] == "quota"
    assert await simulator.inquiries() == 2


async def test_bad_input_of_a_service_is_refused_at_its_field(post):
    refused = await post({"national_id": "1", "birth_date": "1"}, path=IDENTITIES)

    assert refused.status_code == 422
    assert [error["field"] for error in refused.json()["errors"]] == ["national_id", "birth_date"]


async def test_look_ups_are_listed_with_time_and_purpose(post, ask, living):
    await post(ask(living))
    await post(ask(living), path=IDENTITIES)

    response = await post({"national_id": to_persian(living.identity.national_id.value)}, path=LOOKUPS)

    lookups = response.json()["lookups"]
    assert [each["purpose"] for each in lookups] == ["confirm", "submit"]
    assert set(lookups[0]) == {"at", "purpose"}
    assert lookups[0]["at"] >= lookups[1]["at"]
    assert lookups[0]["at"].endswith("Z")


async def test_a_look_up_without_an_answer_is_not_listed(post, ask, living, registry):
    registry.failure = UnansweredError(FailureKind.DOWN, "timed out")
    await post(ask(living))

    assert (await post({"national_id": living.identity.national_id.value}, path=LOOKUPS)).json() == {"lookups": []}


async def test_look_ups_of_other_persons_are_not_listed(post, ask, living, wrong):
    other = people()[3].identity.national_id.value
    await post(ask(living))

    assert (await post({"national_id": other}, path=LOOKUPS)).json() == {"lookups": []}


async def test_the_list_ends_at_fifty(post, ask, living):
    for _ in range(55):
        await post(ask(living), path=IDENTITIES)

    response = await post({"national_id": living.identity.national_id.value}, path=LOOKUPS)

    assert len(response.json()["lookups"]) == 50


# owners of mobiles


@pytest.fixture
def checking(over_http, simulator):
    return over_http.model_copy(
        update={
            "mobile_check": "shahkar",
            "mobile_url": f"{simulator.url}/shahkar",
            "mobile_user": "desk",
            "mobile_password": over_http.registry_password,
        }
    )


def mobile(person, text=None):
    number = person.identity.national_id
    return {"national_id": number.value, "mobile": text or mobile_of(number).national}


async def test_a_mobile_matches_its_owner_only(gateway, checking, poster, living):
    other = people()[5]
    async with gateway(checking) as app:
        post = poster(app)
        own = await post(mobile(living, to_persian(mobile_of(living.identity.national_id).national)), path=MOBILES)
        others = await post(mobile(living, mobile_of(other.identity.national_id).national), path=MOBILES)

        assert [each.json() for each in (own, others)] == [{"outcome": "match"}, {"outcome": "mismatch"}]
        rows = await audit_of(app)
        assert [(row.purpose, row.outcome) for row in rows] == [
            ("mobile", "mobile_matched"),
            ("mobile", "mobile_mismatched"),
        ]


@pytest.mark.parametrize("knobs", [{"errors": -1}, {"garbage": "html"}, {"garbage": "cut_off"}], ids=str)
async def test_a_failing_register_of_mobiles_means_unknown_and_opens_its_breaker(  # noqa: PLR0917 - fixtures
    gateway, checking, simulator, poster, living, knobs
):
    await simulator.turn(**knobs)
    async with gateway(checking) as app:
        answers = [await poster(app)(mobile(living), path=MOBILES) for _ in range(8)]

    assert {each.json()["outcome"] for each in answers} == {"unknown"}
    assert await simulator.inquiries() == 5


async def test_a_failing_register_of_mobiles_does_not_affect_the_civil_registry(  # noqa: PLR0917 - fixtures
    gateway, checking, simulator, poster, living, ask
):
    broken = checking.model_copy(update={"mobile_password": SecretStr("wrong")})
    async with gateway(broken) as app:
        assert (await poster(app)(mobile(living), path=MOBILES)).json() == {"outcome": "unknown"}
        assert (await poster(app)(ask(living))).status_code == 200


async def test_mobiles_are_not_checked_by_default(  # noqa: PLR0917 - fixtures
    post, settings, living, audit, running, poster, parts
):
    assert Settings.model_fields["mobile_check"].default == "off"
    assert real_parts(settings).mobiles is None

    assert (await post(mobile(living), path=MOBILES)).json() == {"outcome": "unknown"}
    assert await audit() == []


async def test_the_embedded_desk_checks_mobiles_of_synthetic_persons(  # noqa: PLR0917 - fixtures
    settings, parts, registry, running, poster, living
):
    async with running(settings, replace(parts, mobiles=registry.inner)) as app:
        own = await poster(app)(mobile(living), path=MOBILES)
        other = await poster(app)(mobile(living, "09120000000"), path=MOBILES)
        unknown_person = await poster(app)({"national_id": "8275737168", "mobile": "09120000000"}, path=MOBILES)

    assert [each.json()["outcome"] for each in (own, other, unknown_person)] == ["match", "mismatch", "unknown"]


async def test_an_invalid_mobile_is_refused(post, living):
    refused = await post(mobile(living, "0912"), path=MOBILES)

    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "mobile")


def test_a_check_without_an_address_is_refused_at_the_start(settings):
    with pytest.raises(ValidationError, match="say where Shahkar"):
        Settings(**settings.model_dump() | {"mobile_check": "shahkar"})
