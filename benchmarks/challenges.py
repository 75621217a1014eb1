"""Compare security codes from the pool with codes drawn in the request, on a real Redis: ratios of one run.

The pool is filled before the first rate is measured, and not during it. For the second figure the app fills it while it
serves requests, as in production.
"""

import argparse
import asyncio
import random
import statistics
import time
from collections.abc import Awaitable, Callable

import httpx
from redis.asyncio import BlockingConnectionPool, Redis

from desk.captcha.app import Parts, create_app
from desk.captcha.domain import Challenge, Kind, Purpose, choose_answer, new_id
from desk.captcha.images import draw_digits
from desk.captcha.settings import Settings
from desk.captcha.sounds import speak_digits
from desk.captcha.store import ChallengeStore, Limit, pool_key
from desk.chassis.telemetry import Telemetry
from desk.security.logs import configure_logging
from desk.testing.redis import open_redis

PLENTY = Limit(10**9, 60)
PARALLEL = 8
SOUNDS = 100


async def rate(issue: Callable[[], Awaitable[object]], count: int) -> float:
    """Issue ``count`` codes, a few at a time; return the rate per second."""

    async def some() -> None:
        for _ in range(count // PARALLEL):
            await issue()

    begun = time.perf_counter()
    await asyncio.gather(*(some() for _ in range(PARALLEL)))
    return count // PARALLEL * PARALLEL / (time.perf_counter() - begun)


async def fill(redis: Redis, kind: Kind, count: int) -> None:
    """Put ``count`` codes into a pool. A few are made and repeated, because their content does not matter."""
    chance = random.SystemRandom()
    make = draw_digits if kind is Kind.IMAGE else speak_digits
    made = [b"12345:" + make("12345", chance) for _ in range(10)]
    for _ in range(count // len(made)):
        await redis.rpush(pool_key(kind), *made)


async def compare(redis: Redis, count: int) -> None:
    """Print the two rates."""
    store, chance = ChallengeStore(redis), random.SystemRandom()

    async def from_pool() -> None:
        await store.issue(new_id(), Kind.IMAGE, Purpose.SUBMIT, "127.0.0.1", PLENTY)

    async def drawn() -> None:
        answer = choose_answer()
        await asyncio.to_thread(draw_digits, answer, chance)
        await store.add(new_id(), Challenge(Purpose.SUBMIT, answer))

    drawn_rate = await rate(drawn, count // 8)
    await fill(redis, Kind.IMAGE, count)
    pool_rate = await rate(from_pool, count)
    print(f"issued from the pool {pool_rate:7.0f}/s   drawn in the request {drawn_rate:6.0f}/s", end="   ")
    print(f"{pool_rate / drawn_rate:.1f} times as many (wanted: 8)")


async def through_the_app(url: str, count: int, pause: float) -> None:
    """Print the duration of requests while the app fills its pool, and the CPU time of a spoken code."""
    redis = Redis.from_pool(BlockingConnectionPool.from_url(url, max_connections=20))
    settings = Settings(redis_url=url, issue_budget="1000000/minute")
    app = create_app(settings, parts=Parts(redis, Telemetry("captcha")))
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://captcha") as client,
    ):
        while await redis.llen(pool_key(Kind.SOUND)) < settings.sounds_ready:  # noqa: ASYNC110 - another's work
            await asyncio.sleep(0.1)
        took = []
        for _ in range(count):
            begun = time.perf_counter()
            answer = await client.post("/api/captchas", json={"purpose": "submit"})
            took.append(time.perf_counter() - begun)
            answer.raise_for_status()
            await asyncio.sleep(pause)
        p50, p99 = statistics.median(took), statistics.quantiles(took, n=100)[98]
        print(f"a picture asked of the app: p50 {p50 * 1e3:.1f} ms, p99 {p99 * 1e3:.1f} ms (wanted: p99 20 ms)")


async def sounds(redis: Redis) -> None:
    """Print the CPU time of issuing and returning a spoken code, without HTTP."""
    store = ChallengeStore(redis)
    await redis.delete(pool_key(Kind.SOUND))
    await fill(redis, Kind.SOUND, SOUNDS)
    spent = []
    for _ in range(SOUNDS):
        captcha_id, begun = new_id(), time.process_time()
        await store.issue(captcha_id, Kind.SOUND, Purpose.TRACK, "127.0.0.1", PLENTY)
        await store.find_sound(captcha_id)
        spent.append(time.process_time() - begun)
    made = time.process_time()
    speak_digits("12345", random.SystemRandom())
    made = time.process_time() - made
    print(f"a sound issued and given out: {statistics.median(spent) * 1e3:.2f} ms of CPU (wanted: 1 ms)", end="   ")
    print(f"mixing one, ahead of need: {made * 1e3:.1f} ms")


async def measure(url: str, count: int, pause: float) -> None:
    """Print everything."""
    redis = Redis.from_pool(BlockingConnectionPool.from_url(url, max_connections=20))
    await redis.flushdb()
    await compare(redis, count)
    await sounds(redis)
    await redis.flushdb()
    await through_the_app(url, count // 4, pause)
    await redis.aclose()


def main() -> None:
    """Start a Redis and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=4_000)
    parser.add_argument("--pause", type=float, default=0.02, help="seconds between two requests to the app")
    options = parser.parse_args()
    configure_logging("json", "ERROR")
    server = open_redis({})
    try:
        asyncio.run(measure(server.url, options.count, options.pause))
    finally:
        server.close()


if __name__ == "__main__":
    main()
