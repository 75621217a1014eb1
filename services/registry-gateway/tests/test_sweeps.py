"""Row 25 of the faults, and row 16 for rate limits, on a real Redis."""

import asyncio
import contextlib
import os
import re
import subprocess
import sys
import time
from dataclasses import replace

import httpx
import pytest
from support.registry_gateway import metrics_of, until

from desk.chassis.redis import connect
from desk.iran.national_id import check_digit
from desk.registry_gateway.adapters.simulator import people
from desk.registry_gateway.app import real_parts
from desk.testing.ports import free_port

SWEEP = 10_000 if os.environ.get("FULL") == "1" else 1_000
START_SECONDS = 60.0


@pytest.fixture
async def redis_url(redis_server):
    url = f"{redis_server.url.rsplit('/', 1)[0]}/11"
    redis = connect(url)
    await redis.flushdb()
    yield url
    await redis.flushdb()
    await redis.aclose()


@pytest.fixture
def replica(settings, redis_url, registry, running):
    """Run a replica of the gateway on the real Redis."""

    def replica(**changed):
        changed = settings.model_copy(update=changed)
        parts, redis = real_parts(changed), connect(redis_url)
        return running(changed, replace(parts, registry=registry, redis=redis, close=(redis.aclose, *parts.close)))

    return replica


def in_sequence(count):
    for place in range(count):
        nine = f"{427_000_000 + place}"
        yield {"national_id": nine + check_digit(nine), "birth_date": "1361-12-05"}


async def test_a_sweep_from_one_source_ends_after_five_look_ups(replica, poster, registry):
    async with replica() as app:
        post = poster(app)
        answers = [
            await post(body, source=f"2001:db8:1:2{n % 250:02x}::{n % 7 + 1}")
            for n, body in enumerate(in_sequence(SWEEP))
        ]

    assert [each.status_code for each in answers] == [404] * 5 + [429] * (SWEEP - 5)
    assert len(registry.asked) == 5


async def test_a_sweep_within_an_ipv6_network_ends_too(replica, poster, registry):
    async with replica() as app:
        sources = (f"2001:db8:0:{n % 256:x}::{n:x}" for n in range(50))
        answers = [
            await poster(app)(body, source=source) for source, body in zip(sources, in_sequence(50), strict=True)
        ]

    assert [each.status_code for each in answers].count(404) == 5
    assert len(registry.asked) == 5


async def test_a_sweep_of_two_replicas_is_counted_as_one(replica, poster, registry):
    async with replica() as one, replica() as other:
        answers = await asyncio.gather(*(poster((one, other)[n % 2])(body) for n, body in enumerate(in_sequence(60))))

    assert [each.status_code for each in answers].count(404) == 5
    assert len(registry.asked) == 5


async def test_a_fan_out_is_reported_once_by_metric_and_log(replica, poster, logged):
    async with replica(fan_out="30/hour") as app:
        for body in in_sequence(80):
            await poster(app)(body)
        metrics = await metrics_of(app)

    assert "desk_registry_fan_outs_total 1.0" in metrics
    assert 'desk_registry_refused_total{budget="mismatches_per_source"} 75.0' in metrics
    asked = re.findall(r'desk_rate_limit_proofs_total\{level="(\d)",limit="mismatches_per_source"\} (\S+)', metrics)
    assert sum(float(times) for _, times in asked) == 75
    alarms = [entry for entry in logged().splitlines() if "fan-out" in entry]
    assert len(alarms) == 1
    assert '"level": "error"' in alarms[0]
    assert "198.51.100" not in alarms[0]


async def test_a_corrected_typing_error_raises_no_alarm(replica, poster, ask, wrong, living):
    async with replica(fan_out="3/hour") as app:
        for body in (wrong, wrong, ask(living)):
            await poster(app)(body)

        assert "desk_registry_fan_outs_total 0.0" in await metrics_of(app)


async def test_the_whole_service_has_a_limit(replica, poster, ask):
    async with replica(lookups_of_service="3/minute") as app:
        answers = [await poster(app)(ask(people()[n]), source=f"203.0.{n}.1") for n in range(5)]

    assert [each.status_code for each in answers] == [200] * 3 + [429] * 2
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 60


async def test_look_ups_wait_for_others_in_progress_before_they_are_refused(replica, poster, ask, registry):
    registry.answering.clear()
    async with replica() as app:
        asking = [asyncio.create_task(poster(app)(ask(people()[n]))) for n in range(6)]
        await until(lambda: len(registry.asked) == 5)
        registry.answering.set()

        assert {each.status_code for each in await asyncio.gather(*asking)} == {200}


async def test_a_look_up_counts_as_a_mismatch_if_its_caller_disconnects(replica, poster, registry, redis_url):
    registry.answering.clear()
    redis = connect(redis_url)
    async with replica() as app:
        for n, body in enumerate(in_sequence(5)):
            asking = asyncio.create_task(poster(app)(body))
            await until(lambda n=n: len(registry.asked) > n)
            asking.cancel()
            await asyncio.wait([asking])
        registry.answering.set()

        assert (await poster(app)(next(in_sequence(1)))).status_code == 429
    await redis.aclose()


async def test_redis_contains_no_numbers_addresses_or_names(replica, poster, ask, living, redis_url):
    async with replica(memory_seconds=900) as app:
        await poster(app)(ask(living))
    redis = connect(redis_url)
    stored = b""
    keys = await redis.keys("*")
    assert any(key.startswith(b"registry:match:") for key in keys)
    for key in keys:
        stored += key + (await redis.dump(key) or b"")
        assert await redis.ttl(key) > 0, f"{key!r} never expires"
    await redis.aclose()

    for personal in (living.identity.national_id.value, "198.51.100", living.identity.last_name):
        assert personal.encode() not in stored


# row 16


async def test_without_redis_nothing_is_looked_up(  # noqa: PLR0917 - fixtures
    settings, parts, registry, running, poster, ask, living, redis_inside
):
    async with running(settings, parts) as app:
        redis_inside.connected = False
        refused = await poster(app)(ask(living))
        redis_inside.connected = True

        assert (refused.status_code, refused.json()["code"]) == (503, "service_unavailable")
        assert refused.headers["content-type"] == "application/problem+json"
        assert registry.asked == []
        assert (await poster(app)(ask(living))).status_code == 200


async def test_a_mismatch_counts_also_if_redis_fails_before_its_end(  # noqa: PLR0917 - fixtures
    running, settings, parts, registry, poster, wrong, redis_inside
):
    async with running(settings, parts) as app:
        for n in range(5):
            registry.answering.clear()
            asking = asyncio.create_task(poster(app)(wrong))
            while len(registry.asked) == n:  # noqa: ASYNC110 - a spy has no event for every count
                await asyncio.sleep(0.01)
            redis_inside.connected = False
            registry.answering.set()
            await asking
            redis_inside.connected = True

        assert (await poster(app)(wrong)).json()["code"] == "proof_required"


async def test_a_flush_of_redis_loses_only_the_counts(replica, poster, unknown, redis_url):
    redis = connect(redis_url)
    async with replica() as app:
        await poster(app)(unknown)
        await redis.flushdb()
        await redis.script_flush()

        assert (await poster(app)(unknown)).status_code == 404
    await redis.aclose()


# X-Forwarded-For


@contextlib.contextmanager
def command(settings, redis_url, *arguments):
    """Run the command of the service and return its URL."""
    port = free_port()
    environment = os.environ | {
        f"DESK_REGISTRY_GATEWAY_{name.upper()}": value
        for name, value in {
            "adapter": "simulator",
            "opens_at": "00:00",
            "closes_at": "00:00",
            "database_url": settings.database_url.get_secret_value(),
            "vault_keys": settings.vault_keys.get_secret_value(),
            "index_key": settings.index_key.get_secret_value(),
            "service_private_key": settings.service_private_key.get_secret_value(),
            "service_public_keys": "{}",
            "token_private_key": settings.token_private_key.get_secret_value(),
            "budget_url": redis_url,
            "captcha_url": "http://captcha",
            "require_proof": "false",
        }.items()
    }
    program = "from desk.registry_gateway.main import main; main()"
    process = subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, "-c", program, "serve", "--port", str(port), "--health-port", str(free_port()), *arguments],
        env=environment,
    )
    url, end = f"http://127.0.0.1:{port}", time.monotonic() + START_SECONDS
    try:
        while True:
            assert process.poll() is None, "the service ended"
            assert time.monotonic() < end, "the service did not start"
            with contextlib.suppress(httpx.TransportError):
                httpx.get(f"{url}/api/identities")
                break
            time.sleep(0.05)
        yield url
    finally:
        process.terminate()
        process.wait(30)


@pytest.mark.parametrize(
    ("trusted", "statuses"),
    [([], [404] * 5 + [429] * 3), (["--trusted-proxies", "127.0.0.1"], [404] * 8)],
    ids=["from an unknown address", "from a trusted proxy"],
)
async def test_x_forwarded_for_counts_only_from_a_trusted_proxy(settings, redis_url, trusted, statuses):
    with command(settings, redis_url, *trusted) as url, httpx.Client(base_url=url, timeout=30) as client:
        statuses_seen = await asyncio.to_thread(forwarded, client, 8)

    assert statuses_seen == statuses


def forwarded(client, count):
    return [
        client.post("/api/identities", json=body, headers={"X-Forwarded-For": f"203.0.{n}.9"}).status_code
        for n, body in enumerate(in_sequence(count))
    ]
