import asyncio
import json

import pytest


@pytest.mark.parametrize("typed", ["40967", "۴۰۹۶۷", "٤٠٩٦٧", "۴٠9۶۷", " ۴۰ ۹۶۷\u200f\n"])
async def test_the_right_answer_is_taken_in_any_digits(issue, answer, typed):
    assert (await answer(await issue(), typed)).status_code == 200


async def test_a_challenge_is_valid_for_one_right_answer(issue, answer):
    captcha = await issue()
    assert (await answer(captcha, claim="first")).status_code == 200

    again = await answer(captcha, claim="second")

    assert again.status_code == 422
    assert again.json()["code"] == "captcha_expired"
    assert again.json()["errors"][0]["field"] == "captcha.answer"


async def test_the_same_claim_may_repeat_its_answer(issue, answer):
    captcha = await issue()
    await answer(captcha, claim="first")

    assert [(await answer(captcha, claim="first")).status_code for _ in range(5)] == [200] * 5
    assert (await answer(captcha, "40960", claim="first")).json()["code"] == "captcha_expired"
    assert (await answer(captcha, claim="first", purpose="track")).json()["code"] == "captcha_expired"


async def test_a_claim_is_stored_for_ten_minutes(redis, issue, answer):
    captcha = await issue()
    await answer(captcha)

    assert 540 < await redis.ttl(f"captcha:{captcha}") <= 600


async def test_a_wrong_answer_reports_how_many_attempts_are_left(issue, answer):
    captcha = await issue()

    wrong = await answer(captcha, "11111")

    assert wrong.status_code == 422
    assert wrong.headers["content-type"] == "application/problem+json"
    assert wrong.json()["code"] == "captcha_wrong"
    assert "۲ بار دیگر" in wrong.json()["title"]
    assert wrong.json()["errors"] == [
        {"field": "captcha.answer", "code": "captcha_wrong", "message": wrong.json()["title"]}
    ]
    assert "۱ بار دیگر" in (await answer(captcha, "")).json()["title"]


async def test_the_third_attempt_may_be_the_right_one(issue, answer):
    captcha = await issue()
    await answer(captcha, "11111")
    await answer(captcha, "22222")

    assert (await answer(captcha)).status_code == 200


async def test_after_three_wrong_answers_a_new_challenge_is_needed(issue, answer):
    captcha = await issue()

    codes = [(await answer(captcha, typed)).json()["code"] for typed in ("11111", "22222", "33333", "40967")]

    assert codes == ["captcha_wrong", "captcha_wrong", "captcha_expired", "captcha_expired"]


async def test_a_challenge_is_valid_for_its_purpose_only(issue, answer):
    captcha = await issue("submit")

    assert (await answer(captcha, purpose="track")).json()["code"] == "captcha_expired"
    assert (await answer(captcha, purpose="submit")).status_code == 200


async def test_an_expired_challenge_is_refused(redis, issue, answer):
    captcha = await issue()
    assert 240 < await redis.ttl(f"captcha:{captcha}") <= 300
    await redis.expire(f"captcha:{captcha}", 0)

    assert (await answer(captcha)).json()["code"] == "captcha_expired"


async def test_an_attempt_does_not_extend_a_challenge(redis, issue, answer):
    captcha = await issue()
    await redis.expire(f"captcha:{captcha}", 20)

    await answer(captcha, "11111")

    assert await redis.ttl(f"captcha:{captcha}") <= 20


@pytest.mark.parametrize("captcha", ["AAAAAAAAAAAAAAAAAAAAAA", "x", "*", "%00", "ك" * 22, "A" * 5000])
async def test_an_unknown_challenge_is_like_an_expired_one(answer, redis, captcha):
    refused = await answer(captcha)

    assert refused.status_code == 422
    assert refused.json()["code"] == "captcha_expired"
    assert await redis.keys("captcha:*") == []


async def test_one_of_a_hundred_concurrent_right_answers_succeeds(issue, answer):
    captcha = await issue()

    answers = await asyncio.gather(*(answer(captcha, claim=f"claim-{number}") for number in range(100)))

    assert sorted(each.status_code for each in answers) == [200] + [422] * 99
    assert {each.json()["code"] for each in answers if each.status_code == 422} == {"captcha_expired"}


async def test_a_hundred_concurrent_repeats_are_one_right_answer(issue, answer):
    captcha = await issue()

    repeats = await asyncio.gather(*(answer(captcha) for _ in range(100)))

    assert {each.status_code for each in repeats} == {200}


async def test_a_hundred_concurrent_guesses_are_three_attempts(issue, answer, client):
    captcha = await issue()

    guesses = await asyncio.gather(*(answer(captcha, f"{number:05}") for number in range(100)))

    assert sum(each.json()["code"] == "captcha_wrong" for each in guesses) == 2
    assert (await answer(captcha)).json()["code"] == "captcha_expired"


@pytest.mark.parametrize(
    "fields", [{"purpose": "admin"}, {"claim": ""}, {"claim": "c" * 129}, {"answer": 40967}, {"answer": "\ud800"}]
)
async def test_an_invalid_answer_is_not_an_attempt(client, issue, fields):
    captcha = await issue()
    given = {"purpose": "submit", "answer": "40967", "claim": "first"}

    refused = await client.post(f"/internal/captchas/{captcha}/answers", content=json.dumps({**given, **fields}))

    assert refused.status_code == 422
    assert refused.json()["code"] == "validation_failed"
    assert (await client.post(f"/internal/captchas/{captcha}/answers", json=given)).status_code == 200
