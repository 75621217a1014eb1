import asyncio

import pytest

from desk.captcha.domain import CaptchaUnavailableError, Challenge, Purpose
from desk.captcha.store import ChallengeStore, limit_time
from desk.testing.health import get_health


async def test_without_redis_no_challenge_is_issued(client, server):
    server.connected = False

    refused = await client.post("/api/captchas", json={"purpose": "submit"})

    assert refused.status_code == 503
    assert refused.headers["content-type"] == "application/problem+json"
    assert int(refused.headers["retry-after"]) > 0
    assert refused.json()["code"] == "service_unavailable"
    assert refused.json()["title"].startswith("کد امنیتی در این لحظه در دسترس نیست")


async def test_without_redis_no_answer_is_accepted(issue, answer, server):
    captcha = await issue()
    server.connected = False
    assert (await answer(captcha)).status_code == 503

    server.connected = True

    assert (await answer(captcha)).status_code == 200


async def test_after_a_flush_of_redis_no_answer_can_be_replayed(issue, answer, redis):
    captcha = await issue()
    assert (await answer(captcha)).status_code == 200

    await redis.flushall()

    assert (await answer(captcha)).json()["code"] == "captcha_expired"


async def test_a_call_to_redis_times_out(monkeypatch):
    monkeypatch.setattr("desk.security.rate_limits.CALL_SECONDS", 0.01)
    released = asyncio.Event()

    with pytest.raises(CaptchaUnavailableError):
        await limit_time(released.wait())

    released.set()
    await asyncio.sleep(0)


async def test_a_cancelled_request_does_not_cancel_its_call_to_redis(redis):
    store = ChallengeStore(redis, b"i" * 32)

    for number in range(50):
        request = asyncio.create_task(store.add(str(number), Challenge(Purpose.IDENTITY, "key")))
        await asyncio.sleep(0)
        request.cancel()
        with pytest.raises(asyncio.CancelledError):
            await request
    async with asyncio.timeout(30):
        while len(await redis.keys("captcha:*")) < 50:  # noqa: ASYNC110 - a store has no event to wait for
            await asyncio.sleep(0.01)

    assert {await redis.ttl(f"captcha:{number}") for number in range(50)} <= set(range(280, 301))


async def test_the_service_is_live_and_ready(client):
    assert (await get_health(client, "/health/live")).status_code == 200
    assert (await get_health(client, "/health/ready")).status_code == 200


async def test_without_redis_the_service_is_live_but_not_ready(client, server):
    server.connected = False

    assert (await get_health(client, "/health/live")).status_code == 200
    assert (await get_health(client, "/health/ready")).status_code == 503


async def test_metrics_count_challenges_and_answers(client, issue, answer):
    await answer(await issue(), "11111")

    metrics = (await get_health(client, "/metrics")).text

    assert 'desk_captchas_issued_total{kind="image",purpose="submit"} 1.0' in metrics
    assert 'desk_captcha_answers_total{outcome="wrong",purpose="submit"} 1.0' in metrics
    assert "desk_captchas_ready" in metrics
