"""The service on a real Redis: its scripts, concurrent answers, and replicas that share a pool."""

import asyncio
import base64
import contextlib

import httpx
import pytest
from redis.asyncio import BlockingConnectionPool, Redis

from desk.captcha.app import Parts, create_app
from desk.captcha.domain import Challenge, Kind, Purpose
from desk.captcha.store import ChallengeStore, pool_key
from desk.chassis.telemetry import Telemetry
from desk.testing.service_keys import InternalAuth

ANSWER = "40967"
CALLERS = 100


@pytest.fixture
async def redis(redis_server):
    redis = client_of(redis_server.url)
    await redis.flushdb()
    yield redis
    await redis.aclose()


INTAKE = InternalAuth("intake", "captcha")


def client_of(url: str) -> Redis:
    return Redis.from_pool(BlockingConnectionPool.from_url(url, max_connections=20, timeout=10))


@contextlib.asynccontextmanager
async def replica(url, settings):
    app = create_app(settings, parts=Parts(client_of(url), Telemetry("captcha"), choose_answer=lambda: ANSWER))
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://captcha", auth=INTAKE) as client,
    ):
        yield client


@pytest.mark.parametrize("kind", ["image", "sound"])
async def test_one_of_a_hundred_concurrent_uses_succeeds(redis, redis_server, settings, kind):
    async with replica(redis_server.url, settings) as one, replica(redis_server.url, settings) as two:
        issued = await one.post("/api/captchas", json={"purpose": "submit", "kind": kind})
        path = f"/internal/captchas/{issued.json()['id']}/answers"
        given = {"purpose": "submit", "answer": ANSWER}
        answers = await asyncio.gather(
            *((one, two)[each % 2].post(path, json=given | {"claim": str(each)}) for each in range(CALLERS))
        )

    assert sorted(each.status_code for each in answers) == [200] + [422] * (CALLERS - 1)


async def test_replicas_share_one_pool_and_no_challenge_is_issued_twice(redis, redis_server, settings):
    async with replica(redis_server.url, settings) as one, replica(redis_server.url, settings) as two:
        asked = [(one, two)[each % 2].post("/api/captchas", json={"purpose": "track"}) for each in range(20)]
        issued = await asyncio.gather(*asked)
        assert [each.status_code for each in issued] == [201] * 20
        assert len({each.json()["image"] for each in issued}) == 20
        async with asyncio.timeout(30):
            while await redis.llen(pool_key(Kind.IMAGE)) < settings.images_ready:  # noqa: ASYNC110 - a store has no event
                await asyncio.sleep(0.01)
        assert await redis.llen(pool_key(Kind.IMAGE)) == settings.images_ready

        refused = await one.post("/api/captchas", json={"purpose": "track"})
        assert refused.status_code == 429, "the twenty were counted for one source, on both replicas"


async def test_after_a_flush_of_redis_the_pool_is_filled_and_no_answer_can_be_replayed(redis, redis_server, settings):
    async with replica(redis_server.url, settings) as client:
        before = (await client.post("/api/captchas", json={"purpose": "submit"})).json()["id"]
        await redis.flushdb()
        await redis.script_flush()

        refused = await client.post(
            f"/internal/captchas/{before}/answers", json={"purpose": "submit", "answer": ANSWER, "claim": "first"}
        )
        again = await client.post("/api/captchas", json={"purpose": "submit"})

    assert refused.json()["code"] == "captcha_expired"
    assert again.status_code == 201


async def test_fifty_guesses_of_a_code_by_sms_at_two_replicas_are_three_attempts(redis, redis_server, settings):
    store = ChallengeStore(redis, base64.b64decode(settings.index_key.get_secret_value()))
    captcha_id = "A" * 22
    await store.add(captcha_id, Challenge(Purpose.MOBILE, ANSWER, mobile="+989123456789"))
    async with replica(redis_server.url, settings) as one, replica(redis_server.url, settings) as two:
        path = f"/internal/captchas/{captcha_id}/answers"
        given = {"purpose": "mobile", "mobile": "+989123456789", "claim": "claim"}
        guesses = await asyncio.gather(
            *((one, two)[each % 2].post(path, json=given | {"answer": f"{each:05}"}) for each in range(50))
        )
        right = await one.post(path, json=given | {"answer": ANSWER})

    assert sum(each.json()["code"] == "captcha_wrong" for each in guesses) == 2
    assert right.json()["code"] == "captcha_expired"
