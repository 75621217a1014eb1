"""The pool: bounded, shared by replicas, and never made up for in a request."""

import asyncio
import contextlib
import random
import threading

import httpx
import pytest

from desk.captcha.app import Parts, create_app
from desk.captcha.domain import Kind
from desk.captcha.pool import Pool, Recipe
from desk.captcha.store import pool_key
from desk.chassis.telemetry import Telemetry

IMAGES = pool_key(Kind.IMAGE)


def show(answer: str, chance: random.Random) -> bytes:
    return b"picture of " + answer.encode()


def pool_of(redis, size, make=show):
    return Pool(redis, {Kind.IMAGE: Recipe(make, size)}, lambda: "12345")


@contextlib.asynccontextmanager
async def filling(*pools):
    workers = [asyncio.create_task(pool.fill()) for pool in pools]
    yield
    for worker in workers:
        worker.cancel()
    await asyncio.gather(*workers, return_exceptions=True)


async def until(condition):
    for _ in range(4000):
        if await condition():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("it never came to that")


async def test_it_is_filled_to_its_size_and_refilled(redis):
    pool = pool_of(redis, 7)

    async with filling(pool):
        await until(lambda: full(redis, 7))
        await redis.lpop(IMAGES, 5)
        pool.tell_of_use()
        await until(lambda: full(redis, 7))

    assert await redis.lindex(IMAGES, 0) == b"12345:picture of 12345"
    assert pool.ready == {Kind.IMAGE: 7}


async def test_replicas_that_push_at_once_never_overfill_it(redis):
    at_the_same_look = threading.Barrier(3, timeout=20)
    met = threading.local()

    def make(answer, chance):
        if not getattr(met, "yet", False):
            met.yet = True
            with contextlib.suppress(threading.BrokenBarrierError):
                at_the_same_look.wait(2)
        return show(answer, chance)

    pools = [pool_of(redis, 5, make) for _ in range(3)]
    async with filling(*pools):
        await until(lambda: full(redis, 5))
        await asyncio.gather(*(pool._put(Kind.IMAGE, [b"1:late"] * 4) for pool in pools))

    assert await redis.llen(IMAGES) == 5


async def test_a_pool_that_nobody_looks_after_is_forgotten(redis):
    async with filling(pool_of(redis, 2)):
        await until(lambda: full(redis, 2))

    assert 3590 < await redis.ttl(IMAGES) <= 3600


async def test_it_is_filled_again_when_redis_is_back(redis, server, monkeypatch):
    monkeypatch.setattr("desk.captcha.pool.LOOK_SECONDS", 0.01)
    async with filling(pool_of(redis, 3)):
        await until(lambda: full(redis, 3))
        server.connected = False
        await asyncio.sleep(0.05)
        server.connected = True
        await redis.flushall()
        await until(lambda: full(redis, 3))


async def test_an_empty_pool_is_said_plainly_and_nothing_is_drawn_in_the_request(redis, settings, monkeypatch):
    monkeypatch.setattr("desk.captcha.service.PATIENCE_SECONDS", 0.05)
    monkeypatch.setattr("desk.captcha.app.draw", lambda *_: pytest.fail("drawn in a request"))
    monkeypatch.setattr("desk.captcha.app.speak", lambda *_: pytest.fail("spoken in a request"))
    app = create_app(settings, parts=Parts(redis, Telemetry("captcha")))  # nobody runs its lifespan: nobody fills

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://captcha") as client:
        refused = await asyncio.gather(*(client.post("/api/captchas", json={"purpose": "submit"}) for _ in range(80)))

    assert {each.status_code for each in refused} == {503}
    assert {each.headers["retry-after"] for each in refused} == {"2"}
    assert "چند ثانیهٔ دیگر" in refused[0].json()["title"]
    assert await redis.keys("*") == [], "what nobody got counts against nobody"


async def test_a_request_waits_for_a_pool_that_is_being_filled(redis, settings):
    app = create_app(settings, parts=Parts(redis, Telemetry("captcha")))
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://captcha") as client,
    ):
        issued = await asyncio.gather(*(client.post("/api/captchas", json={"purpose": "submit"}) for _ in range(15)))

    assert [each.status_code for each in issued] == [201] * 15, "fifteen, of a pool of four"


async def full(redis, size) -> bool:
    return await redis.llen(IMAGES) == size
