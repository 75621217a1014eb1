"""Look-ups that an expert of an office makes for a person at the counter or on the telephone."""

import asyncio

import pytest

from desk.chassis.crypto import TokenReader, public_key_of
from desk.registry_gateway.domain import FailureKind, UnansweredError

PATH = "/internal/office-identities"


@pytest.fixture
def look_up(post):
    async def look_up(question, office="isfahan"):
        person = {name: question[name] for name in ("national_id", "birth_date")}
        return await post(person | {"office": office}, path=PATH)

    return look_up


async def test_an_office_gets_the_names_and_a_token_that_only_it_may_use(look_up, ask, living, settings):
    answer = await look_up(ask(living))

    assert answer.status_code == 200
    assert answer.json()["last_name"] == living.identity.last_name
    public = public_key_of(settings.token_private_key.get_secret_value())
    claims = TokenReader(public, issuer="registry-gateway", audience="desk.identity").read(answer.json()["token"])
    assert (claims["sub"], claims["office"]) == (living.identity.national_id.value, "isfahan")


async def test_the_ledger_names_the_purpose_and_the_office_as_a_hash(look_up, ask, living, audit, parts):
    await look_up(ask(living))

    [row] = await audit()
    assert (row.purpose, row.outcome) == ("counter", "matched")
    assert row.source_index == parts.vault.index("isfahan", "office")


async def test_the_person_sees_that_an_office_looked_up(look_up, post, ask, living):
    await look_up(ask(living))

    seen = await post({"national_id": living.identity.national_id.value}, path="/internal/lookups")

    assert [each["purpose"] for each in seen.json()["lookups"]] == ["counter"]


async def test_a_mismatch_has_no_token_and_is_recorded(look_up, wrong, audit):
    answer = await look_up(wrong)

    assert (answer.status_code, answer.json()["code"]) == (404, "identity_not_matched")
    assert [(row.purpose, row.outcome) for row in await audit()] == [("counter", "not_matched")]


async def test_while_the_registry_is_unavailable_the_office_gets_a_pending_token(look_up, ask, living, registry):
    registry.failure = UnansweredError(FailureKind.DOWN, "timed out")

    answer = await look_up(ask(living))

    assert (answer.status_code, answer.json()["status"]) == (200, "pending")


async def test_fifty_mismatches_at_once_are_no_more_than_the_limit_of_the_office(
    settings, parts, running, poster, wrong
):
    async with running(settings.model_copy(update={"mismatches_per_office": "3/hour"}), parts) as app:
        post = poster(app)
        person = {name: wrong[name] for name in ("national_id", "birth_date")}
        answers = await asyncio.gather(*(post(person | {"office": "isfahan"}, path=PATH) for _ in range(50)))
        other = await post(person | {"office": "qom"}, path=PATH)

    assert sum(each.status_code == 404 for each in answers) == 3
    assert sum(each.status_code == 429 for each in answers) == 47
    assert other.status_code == 404, "another office has its own limit"


async def test_matches_do_not_use_up_the_limit_of_mismatches(  # noqa: PLR0917 - fixtures
    settings, parts, running, poster, ask, living
):
    async with running(settings.model_copy(update={"mismatches_per_office": "1/hour"}), parts) as app:
        question = ask(living)
        person = {name: question[name] for name in ("national_id", "birth_date")} | {"office": "isfahan"}
        answers = [await poster(app)(person, path=PATH) for _ in range(3)]

    assert [each.status_code for each in answers] == [200, 200, 200]


@pytest.mark.parametrize("office", ["", "Isfahan", "a b"])
async def test_a_key_of_an_office_is_checked(look_up, ask, living, office):
    assert (await look_up(ask(living), office)).status_code == 422
