"""Proofs of work, solved by altcha's solver: valid once, for one purpose, and harder for a source with many of them."""

import asyncio

import pytest
from altcha.v2 import Challenge, ChallengeParameters, solve_challenge

from desk.captcha.domain import Difficulty
from desk.captcha.service import create_work


def solve(challenge: dict) -> str:
    solution = solve_challenge(Challenge(ChallengeParameters.from_dict(challenge)))
    assert solution is not None
    return solution.derived_key


@pytest.fixture
def ask(client):
    async def ask() -> dict:
        issued = await client.post("/api/captchas", json={"purpose": "identity", "kind": "work"})
        assert issued.status_code == 201, issued.text
        return issued.json()

    return ask


async def test_a_solution_is_accepted_once(ask, answer):
    asked = await ask()
    assert set(asked) == {"id", "kind", "expires_at", "challenge"}
    key = solve(asked["challenge"])

    assert (await answer(asked["id"], key, purpose="identity", claim="first")).status_code == 204
    assert (await answer(asked["id"], key, purpose="identity", claim="second")).json()["code"] == "captcha_expired"


async def test_one_of_a_hundred_concurrent_uses_succeeds(ask, answer):
    asked = await ask()
    key = solve(asked["challenge"])

    answers = await asyncio.gather(
        *(answer(asked["id"], key, purpose="identity", claim=str(number)) for number in range(100))
    )

    assert sorted(each.status_code for each in answers) == [204] + [422] * 99


async def test_the_challenge_does_not_reveal_the_answer(ask, redis):
    asked = await ask()

    answer = (await redis.hget(f"captcha:{asked['id']}", "answer")).decode()

    assert len(answer) == 64
    assert answer[:32] == asked["challenge"]["keyPrefix"]
    assert answer[32:] not in str(asked)


@pytest.mark.parametrize(
    "forge", [lambda asked: asked["challenge"]["keyPrefix"].ljust(64, "0"), lambda _: "", lambda _: "7"]
)
async def test_a_forged_proof_is_refused(ask, answer, forge):
    asked = await ask()

    codes = [(await answer(asked["id"], forge(asked), purpose="identity")).json()["code"] for _ in range(3)]

    assert codes == ["captcha_wrong", "captcha_wrong", "captcha_expired"]


async def test_a_proof_for_another_challenge_is_refused(ask, answer):
    mine, other = await ask(), await ask()

    refused = await answer(mine["id"], solve(other["challenge"]), purpose="identity")

    assert refused.json()["code"] == "captcha_wrong"


async def test_an_expired_proof_is_refused(ask, answer, redis):
    asked = await ask()
    await redis.expire(f"captcha:{asked['id']}", 0)

    refused = await answer(asked["id"], solve(asked["challenge"]), purpose="identity")

    assert refused.json()["code"] == "captcha_expired"


@pytest.mark.parametrize("purpose", ["submit", "track"])
async def test_a_proof_is_valid_for_look_ups_only(ask, answer, purpose):
    asked = await ask()

    refused = await answer(asked["id"], solve(asked["challenge"]), purpose=purpose)

    assert refused.json()["code"] == "captcha_expired"


async def test_work_becomes_harder_for_a_source_with_many_challenges(ask, settings):
    asked = [(await ask())["challenge"]["most"] for _ in range(21)]

    assert asked == [settings.work_most] * 10 + [settings.work_most * 2] * 10 + [settings.work_most * 4]


def test_work_ends_at_eight_times_the_base():
    assert Difficulty(360).after(10_000) == Difficulty(360 * 8)


async def test_a_source_over_its_limit_is_refused_with_a_retry_time(ask, client):
    for _ in range(30):
        await ask()

    refused = await client.post("/api/captchas", json={"purpose": "identity", "kind": "work"})

    assert (refused.status_code, refused.json()["code"]) == (429, "budget_exhausted")
    assert 1 <= int(refused.headers["retry-after"]) <= 600
    assert (await client.post("/api/captchas", json={"purpose": "submit"})).status_code == 201, "counted apart"


def test_the_solution_is_a_counter_up_to_the_highest_one():
    works = [create_work(Difficulty(40, cost=1)) for _ in range(20)]

    solutions = [
        solve_challenge(
            Challenge(
                ChallengeParameters(work.algorithm, work.nonce, work.salt, work.cost, work.key_length, work.key_prefix)
            )
        )
        for work in works
    ]

    assert {solution.counter for solution in solutions} <= set(range(41))
    assert [solution.derived_key for solution in solutions] == [work.answer for work in works]
