import asyncio

import pytest
from pydantic import ValidationError

from desk.registry_gateway.adapters.simulator import people
from desk.registry_gateway.domain import Deceased, Referred
from desk.registry_gateway.settings import Settings


async def test_after_five_mismatches_the_source_needs_a_harder_proof(post, unknown):
    for _ in range(5):
        assert (await post(unknown)).status_code == 404

    answer = await post(unknown)

    assert (answer.status_code, answer.json()["code"], answer.json()["level"]) == (429, "proof_required", 1)


async def test_a_source_without_mismatches_left_does_not_reach_the_registry(post, ask, wrong, living, registry):
    for _ in range(5):
        await post(wrong)

    answer = await post(ask(living))

    assert answer.status_code == 429
    assert len(registry.asked) == 5


async def test_a_person_whom_the_registry_refers_elsewhere_counts_as_a_mismatch(post, ask, registry):
    registry.verdict = Referred()
    for person in people()[:5]:
        assert (await post(ask(person))).json()["code"] == "identity_referred"

    assert (await post(ask(people()[5]))).status_code == 429
    assert len(registry.asked) == 5


async def test_a_deceased_person_counts_as_no_mismatch(post, ask, registry):
    registry.verdict = Deceased()

    answers = [await post(ask(person)) for person in people()[:6]]

    assert [answer.json()["code"] for answer in answers] == ["identity_deceased"] * 6


async def test_concurrent_mismatches_do_not_exceed_the_limit(post, ask, registry):
    guesses = [ask(person, birth_date="1350-01-01") for person in people()[:20]]

    answers = await asyncio.gather(*(post(guess) for guess in guesses))

    assert sorted(answer.status_code for answer in answers) == [404] * 5 + [429] * 15
    assert len(registry.asked) == 5


async def test_another_source_is_not_affected(post, ask, unknown, living):
    for _ in range(6):
        await post(unknown)

    assert (await post(ask(living), source="203.0.113.9")).status_code == 200


async def test_a_slow_look_up_does_not_delay_other_sources(post, ask, unknown, living, registry):
    registry.answering.clear()
    slow = asyncio.create_task(post(unknown))
    await registry.reached.wait()
    registry.answering = asyncio.Event()
    registry.answering.set()

    assert (await post(ask(living), source="203.0.113.9")).status_code == 200

    slow.cancel()
    await asyncio.wait([slow])


async def test_right_look_ups_of_a_number_are_not_limited(post, ask, living, registry):
    for host in range(30):
        assert (await post(ask(living), source=f"203.0.{host}.5")).status_code == 200

    assert len(registry.asked) == 30


@pytest.fixture
def confirm_later(post):
    """Confirm a pair as intake does for a pending request."""

    async def confirm_later(body):
        pair = {"national_id": body["national_id"], "birth_date": body["birth_date"]}
        return await post(pair, path="/internal/identities")

    return confirm_later


async def test_birth_dates_are_not_guessed_for_a_number_from_many_sources(post, ask, wrong, living, registry):
    for host in range(7):
        assert (await post(wrong, source=f"203.0.{host}.5")).status_code == 404

    right = ask(living) | {"national_id": wrong["national_id"]}
    answer = await post(right, source="203.1.99.5")

    assert (answer.status_code, answer.json()["status"], answer.json()["reason"]) == (200, "pending", "quota")
    assert len(registry.asked) == 7, "the page behaves as if the registry were closed until the next day"


async def test_later_confirmations_give_no_more_verdicts_than_look_ups(post, confirm_later, wrong, registry):
    for host in range(4):
        assert (await post(wrong, source=f"203.0.{host}.5")).status_code == 404
    outcomes = [(await confirm_later(wrong)).json()["outcome"] for _ in range(6)]

    assert outcomes == ["not_matched"] * 3 + ["unavailable"] * 3
    assert len(registry.asked) == 7
    assert (await post(wrong, source="203.0.99.5")).json()["status"] == "pending"


async def test_mismatches_of_one_number_at_the_same_time_do_not_exceed_the_limit(confirm_later, wrong, registry):
    answers = await asyncio.gather(*(confirm_later(wrong) for _ in range(30)))

    assert sorted(answer.json()["outcome"] for answer in answers) == ["not_matched"] * 7 + ["unavailable"] * 23


async def test_a_source_makes_sixty_look_ups_an_hour(post, ask, registry):
    for person in people()[:60]:
        await post(ask(person))

    answer = await post(ask(people()[60]))

    assert answer.status_code == 429
    assert len(registry.asked) == 60


async def test_a_refused_look_up_is_not_recorded(post, unknown, audit):
    for _ in range(7):
        await post(unknown)

    assert len(await audit()) == 5


def test_an_invalid_limit_is_refused_at_the_start(settings):
    with pytest.raises(ValidationError):
        Settings(**settings.model_dump() | {"lookups_per_source": "many"})


async def test_the_counters_contain_no_number_or_address(post, unknown, parts):
    await post(unknown)

    keys = str(await parts.redis.keys("*"))

    assert "limit:verdicts:" in keys
    assert unknown["national_id"] not in keys
    assert "198.51.100" not in keys
