import time

import pytest
from support.registry_gateway import PUBLIC_KEY

from desk.chassis.crypto import TokenReader
from desk.iran.digits import to_persian
from desk.registry_gateway.adapters.simulator import people
from desk.registry_gateway.domain import FailureKind, UnansweredError

LEADING_ZEROS = [person for person in people() if person.identity.national_id.value.startswith("0")]


@pytest.fixture
def tokens():
    return TokenReader(PUBLIC_KEY, issuer="registry-gateway", audience="desk.identity")


async def test_a_matching_number_and_birth_date_return_names_gender_and_a_token(post, ask, living):
    answer = await post(ask(living))

    assert answer.status_code == 200
    shown = answer.json()
    assert shown["status"] == "matched"
    assert shown["first_name"] == living.identity.first_name
    assert shown["last_name"] == living.identity.last_name
    assert shown["gender"] == living.identity.gender
    assert set(shown) == {"status", "first_name", "last_name", "gender", "token", "expires_at"}


async def test_the_response_must_not_be_stored(post, ask, living):
    assert (await post(ask(living))).headers["cache-control"] == "no-store"


async def test_the_token_binds_number_birth_date_names_and_gender(post, ask, living, tokens):
    claims = tokens.read((await post(ask(living))).json()["token"])

    identity = living.identity
    assert claims["sub"] == identity.national_id.value
    assert claims["birth_date"] == identity.birth_date.isoformat()
    assert claims["first_name"] == identity.first_name
    assert claims["last_name"] == identity.last_name
    assert claims["gender"] == identity.gender
    assert claims["status"] == "matched"


async def test_the_token_expires_after_thirty_minutes(post, ask, living, tokens):
    shown = (await post(ask(living))).json()
    claims = tokens.read(shown["token"])

    assert claims["exp"] - claims["iat"] == 1800
    assert shown["expires_at"] == time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(claims["exp"]))


async def test_persian_digits_are_accepted(post, ask, living):
    body = {name: to_persian(value) for name, value in ask(living).items()}

    assert (await post(body)).status_code == 200


async def test_arabic_indic_digits_are_accepted(post, ask, living):
    arabic = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
    body = {name: value.translate(arabic) for name, value in ask(living).items()}

    assert (await post(body)).status_code == 200


@pytest.mark.parametrize("person", LEADING_ZEROS[:2])
async def test_a_number_with_leading_zeros_matches_and_keeps_them(post, ask, tokens, person):
    answer = await post(ask(person))

    assert tokens.read(answer.json()["token"])["sub"] == person.identity.national_id.value


@pytest.mark.parametrize("person", LEADING_ZEROS[:2])
async def test_zeros_lost_in_a_spreadsheet_are_put_back(post, ask, tokens, person):
    answer = await post(ask(person, national_id=person.identity.national_id.value.lstrip("0")))

    assert tokens.read(answer.json()["token"])["sub"] == person.identity.national_id.value


async def test_a_person_born_on_the_leap_day_is_found(post, ask):
    leap_child = next(p for p in people() if (p.identity.birth_date.month, p.identity.birth_date.day) == (12, 30))

    assert (await post(ask(leap_child))).status_code == 200


async def test_unknown_and_mismatched_are_answered_exactly_alike(post, wrong, unknown):
    mismatched, unknown_person = await post(wrong), await post(unknown)

    assert mismatched.status_code == unknown_person.status_code == 404
    assert mismatched.json()["code"] == "identity_not_matched"
    assert mismatched.content == unknown_person.content
    assert [name for name in mismatched.headers if name != "x-request-id"] == [
        name for name in unknown_person.headers if name != "x-request-id"
    ]


async def test_a_deceased_person_gets_no_token_and_a_title_that_says_where_to_go(post, ask, deceased):
    answer = await post(ask(deceased))

    assert answer.status_code == 422
    assert answer.json()["code"] == "identity_deceased"
    assert "مراجعه کنید" in answer.json()["title"]
    assert "token" not in answer.json()


async def test_a_death_is_reported_only_with_the_right_birth_date(post, ask, deceased):
    assert (await post(ask(deceased, birth_date="1350-01-01"))).json()["code"] == "identity_not_matched"


async def test_an_unavailable_registry_means_a_pending_identity_for_every_number(  # noqa: PLR0917 - fixtures
    post, ask, living, unknown, registry, tokens
):
    registry.failure = UnansweredError(FailureKind.DOWN, "timed out")

    known, unknown_person = await post(ask(living)), await post(unknown)

    assert (known.status_code, unknown_person.status_code) == (200, 200)
    shown = [
        {name: value for name, value in answer.json().items() if name not in {"token", "expires_at"}}
        for answer in (known, unknown_person)
    ]
    assert shown[0] == shown[1]
    assert shown[0] == {
        "status": "pending",
        "first_name": None,
        "last_name": None,
        "gender": None,
        "reason": "unreachable",
        "available_at": None,
    }
    claims = tokens.read(known.json()["token"])
    assert claims["sub"] == living.identity.national_id.value
    assert claims["birth_date"] == living.identity.birth_date.isoformat()
    assert (claims["status"], claims["id_kind"]) == ("pending", "national_id")
    assert not {"first_name", "last_name", "gender"} & set(claims)


async def test_a_foreign_national_is_pending_without_a_call_to_the_registry(  # noqa: PLR0917 - fixtures
    post, living, ask, registry, tokens, audit
):
    answer = await post(ask(living, national_id="۹۹۹۹-۰۰۰۰-۰۰۰۱"))

    shown = answer.json()
    assert (answer.status_code, shown["status"], shown["reason"]) == (200, "pending", "foreign")
    claims = tokens.read(shown["token"])
    assert (claims["sub"], claims["id_kind"]) == ("999900000001", "foreign_code")
    assert registry.asked == []
    assert await audit() == []


async def test_the_token_contains_the_kind_of_its_number(post, ask, living, tokens):
    assert tokens.read((await post(ask(living))).json()["token"])["id_kind"] == "national_id"
