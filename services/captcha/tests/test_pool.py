"""The pool is bounded and shared by replicas, and no request makes a challenge."""

import asyncio
import contextlib
import random
import threading

import httpx
import pytest

from desk.captcha.app import Parts, create_app
from desk.captcha.domain import Kind
from desk.captcha.service import Pool, Recipe
from desk.captcha.store import PoolStore, pool_key
from desk.captcha.workers import PoolTask
from desk.chassis.telemetry import Telemetry

IMAGES = pool_key(Kind.IMAGE)


def show(answer: str, chance: random.Random) -> bytes:
    return b"picture of " + answer.encode()


def pool_of(redis, size, make=show):
    return Pool(PoolStore(redis), {Kind.IMAGE: Recipe(make, size)}, lambda: "12345")


@contextlib.asynccontextmanager
async def filling(*pools):
    """Run the background task of each pool."""
    tasks = [PoolTask(pool) for pool in pools]
    running = [asyncio.create_task(task.run()) for task in tasks]
    yield
    for task in tasks:
        task.finish()
    await asyncio.gather(*running)


async def until(condition):
    """Wait until a condition holds; fail at the deadline."""
    async with asyncio.timeout(60):
        while not await condition():  # noqa: ASYNC110 - a store has no event to wait for
            await asyncio.sleep(0.005)


async def test_a_pool_is_filled_to_its_size_and_refilled_after_use(redis, monkeypatch):
    monkeypatch.setattr("desk.captcha.workers.pool.PAUSE_SECONDS", 3600.0)
    pool = pool_of(redis, 7)

    async with filling(pool):
        await until(lambda: full(redis, 7))
        await redis.lpop(IMAGES, 5)
        pool.request_fill()
        await until(lambda: full(redis, 7))

    assert await redis.lindex(IMAGES, 0) == b"12345:picture of 12345"
    assert pool.ready == {Kind.IMAGE: 7}


async def test_a_pool_is_not_counted_for_each_batch(redis, monkeypatch):
    monkeypatch.setattr("desk.captcha.service.pool.COUNT_SECONDS", 3600.0)
    store = CountingStore(redis)
    pool = Pool(store, {Kind.IMAGE: Recipe(show, 40)}, lambda: "12345")
    while await pool.fill():
        pass
    assert (store.counts, store.batches, pool.ready) == (1, 10, {Kind.IMAGE: 40})

    for left in (39, 38, 37):
        await redis.lpop(IMAGES)
        pool.taken(Kind.IMAGE, left)
        assert not await pool.fill(), "less than a batch is missing"
    await redis.lpop(IMAGES)
    pool.taken(Kind.IMAGE, 36)
    assert not await pool.fill()
    assert (store.counts, store.batches, await redis.llen(IMAGES)) == (1, 11, 40)


class CountingStore(PoolStore):
    """Counts its calls."""

    def __init__(self, redis):
        super().__init__(redis)
        self.counts = self.batches = 0

    async def count(self, kind):
        self.counts += 1
        return await super().count(kind)

    async def add(self, kind, size, challenges):
        self.batches += 1
        return await super().add(kind, size, challenges)


async def test_replicas_that_push_at_the_same_time_do_not_exceed_the_size(redis):
    after_the_same_count = threading.Barrier(3, timeout=20)
    met = threading.local()

    def make(answer, chance):
        if not getattr(met, "yet", False):
            met.yet = True
            with contextlib.suppress(threading.BrokenBarrierError):
                after_the_same_count.wait(2)
        return show(answer, chance)

    pools = [pool_of(redis, 5, make) for _ in range(3)]
    async with filling(*pools):
        await until(lambda: full(redis, 5))
        await asyncio.gather(*(pool._store.add(Kind.IMAGE, 5, [b"1:late"] * 4) for pool in pools))

    assert await redis.llen(IMAGES) == 5


async def test_a_pool_that_no_replica_fills_expires(redis):
    async with filling(pool_of(redis, 2)):
        await until(lambda: full(redis, 2))

    assert 3540 < await redis.ttl(IMAGES) <= 3600


async def test_a_pool_is_filled_again_after_a_redis_outage(redis, server, monkeypatch):
    monkeypatch.setattr("desk.captcha.workers.pool.PAUSE_SECONDS", 0.01)
    pool = pool_of(redis, 3)
    fill, failures = pool.fill, []

    async def fill_and_record():
        connected, more = server.connected, await fill()
        if not connected:
            failures.append(more)
        return more

    pool.fill = fill_and_record
    async with filling(pool):
        await until(lambda: full(redis, 3))
        server.connected = False
        await until(lambda: has_failed(failures))
        server.connected = True
        await redis.flushall()
        await until(lambda: full(redis, 3))

    assert not any(failures)
    assert await redis.llen(IMAGES) == 3


async def test_a_request_with_an_empty_pool_is_refused_and_draws_nothing(redis, settings, monkeypatch):
    monkeypatch.setattr("desk.captcha.service.challenges.WAIT_SECONDS", 0.05)
    monkeypatch.setattr("desk.captcha.app.draw_digits", lambda *_: pytest.fail("drawn in a request"))
    monkeypatch.setattr("desk.captcha.app.speak_digits", lambda *_: pytest.fail("spoken in a request"))
    app = create_app(
        settings.model_copy(update={"issue_budget": "80/10 minutes"}), parts=Parts(redis, Telemetry("captcha"))
    )  # without its lifespan, so that no task fills the pool

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://captcha") as client:
        refused = await asyncio.gather(*(client.post("/api/captchas", json={"purpose": "submit"}) for _ in range(80)))

    assert {each.status_code for each in refused} == {503}
    assert {each.headers["retry-after"] for each in refused} == {"2"}
    assert "چند ثانیهٔ دیگر" in refused[0].json()["title"]
    assert await redis.keys("*") == [], "a refused challenge does not count"


async def test_a_request_waits_for_a_pool_that_is_being_filled(redis, settings):
    app = create_app(settings, parts=Parts(redis, Telemetry("captcha")))
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://captcha") as client,
    ):
        issued = await asyncio.gather(*(client.post("/api/captchas", json={"purpose": "submit"}) for _ in range(15)))

    assert [each.status_code for each in issued] == [201] * 15, "fifteen, of a pool of four"


async def has_failed(failures) -> bool:
    return len(failures) > 0


async def full(redis, size) -> bool:
    return await redis.llen(IMAGES) == size
