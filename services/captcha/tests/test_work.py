"""Proofs of work, solved by altcha's solver: valid once, for one purpose, and with a level that the caller chooses."""

import asyncio
import time
from datetime import datetime

import pytest
from altcha.v2 import Challenge, ChallengeParameters, solve_challenge

from desk.captcha.service import create_work


def solve(challenge: dict) -> str:
    solution = solve_challenge(Challenge(ChallengeParameters.from_dict(challenge)))
    assert solution is not None
    return solution.derived_key


@pytest.fixture
def ask(client):
    async def ask(purpose: str = "identity", **fields: int) -> dict:
        issued = await client.post("/api/captchas", json={"purpose": purpose, "kind": "work", **fields})
        assert issued.status_code == 201, issued.text
        return issued.json()

    return ask


async def test_a_solution_is_accepted_once(ask, answer):
    asked = await ask()
    assert set(asked) == {"id", "kind", "expires_at", "challenge"}
    key = solve(asked["challenge"])

    assert (await answer(asked["id"], key, purpose="identity", claim="first")).status_code == 200
    assert (await answer(asked["id"], key, purpose="identity", claim="second")).json()["code"] == "captcha_expired"


async def test_one_of_a_hundred_concurrent_uses_succeeds(ask, answer):
    asked = await ask()
    key = solve(asked["challenge"])

    answers = await asyncio.gather(
        *(answer(asked["id"], key, purpose="identity", claim=str(number)) for number in range(100))
    )

    assert sorted(each.status_code for each in answers) == [200] + [422] * 99


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


@pytest.mark.parametrize("purpose", ["submit", "track", "mobile"])
async def test_a_proof_is_valid_for_its_purpose_only(ask, answer, purpose):
    asked = await ask()

    refused = await answer(asked["id"], solve(asked["challenge"]), purpose=purpose)

    assert refused.json()["code"] == "captcha_expired"


@pytest.mark.parametrize("purpose", ["identity", "track", "mobile"])
async def test_each_level_doubles_the_work(ask, settings, purpose):
    asked = [(await ask(purpose, level=level))["challenge"]["most"] for level in range(6)]

    assert asked == [settings.work_most * factor for factor in (1, 2, 4, 8, 16, 32)]


async def test_each_level_has_twice_the_delay(ask):
    begun = time.time()

    moments = [(await ask(level=level))["challenge"].get("usable_at") for level in range(6)]

    assert moments[0] is None, "the first one is usable at once"
    waits = [datetime.fromisoformat(moment).timestamp() - begun for moment in moments[1:]]
    assert all(delay <= wait < delay + 1.9 for delay, wait in zip((1, 2, 4, 8, 16), waits, strict=True))


async def test_an_answer_before_the_delay_has_ended_is_refused_and_is_no_attempt(ask, answer, monkeypatch):
    asked = await ask(level=3)
    key = solve(asked["challenge"])
    usable_at = datetime.fromisoformat(asked["challenge"]["usable_at"]).timestamp()

    monkeypatch.setattr("desk.captcha.store.challenges.time.time", lambda: usable_at - 4.5)
    early = [await answer(asked["id"], key, purpose="identity") for _ in range(5)]
    monkeypatch.setattr("desk.captcha.store.challenges.time.time", lambda: usable_at)
    accepted = await answer(asked["id"], key, purpose="identity")

    assert {(each.status_code, each.json()["code"]) for each in early} == {(422, "captcha_early")}
    assert early[0].headers["retry-after"] == "5"
    assert (accepted.status_code, accepted.json()) == (200, {"level": 3})


async def test_the_answer_says_the_level_of_the_work(ask, answer):
    asked = await ask()

    accepted = await answer(asked["id"], solve(asked["challenge"]), purpose="identity")

    assert accepted.json() == {"level": 0}


@pytest.mark.parametrize("level", [-1, 6, "high"])
async def test_an_unknown_level_is_refused(client, level):
    refused = await client.post("/api/captchas", json={"purpose": "identity", "kind": "work", "level": level})

    assert refused.json()["code"] == "validation_failed"
    assert refused.json()["errors"][0]["field"] == "level"


async def test_a_source_over_its_limit_is_refused_with_a_retry_time(ask, client):
    for _ in range(30):
        await ask()

    refused = await client.post("/api/captchas", json={"purpose": "identity", "kind": "work"})

    assert (refused.status_code, refused.json()["code"]) == (429, "budget_exhausted")
    assert 1 <= int(refused.headers["retry-after"]) <= 600
    assert (await client.post("/api/captchas", json={"purpose": "submit"})).status_code == 201, "counted apart"


def test_the_solution_is_a_counter_up_to_the_highest_one():
    works = [create_work(40, cost=1) for _ in range(20)]

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
