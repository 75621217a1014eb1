"""Rate limits: how often an attempt is allowed."""

import asyncio

import pytest

from desk.chassis.problem import RateLimitExceededError
from desk.chassis.rate_limits import RateLimits


@pytest.fixture
def rate_limits():
    return RateLimits("memory://")


async def test_a_rate_limit_can_be_used_up(rate_limits):
    for _ in range(3):
        await rate_limits.reserve("3/10 minutes", "misses", "a")
    with pytest.raises(RateLimitExceededError):
        await rate_limits.reserve("3/10 minutes", "misses", "a")


async def test_an_exceeded_rate_limit_has_the_seconds_until_the_next_attempt(rate_limits):
    await rate_limits.reserve("1/10 minutes", "misses", "a")
    with pytest.raises(RateLimitExceededError) as caught:
        await rate_limits.reserve("1/10 minutes", "misses", "a")
    assert 590 <= caught.value.retry_after <= 600


async def test_the_wait_is_at_least_a_second(rate_limits):
    await rate_limits.reserve("1/1 second", "misses", "a")
    with pytest.raises(RateLimitExceededError) as caught:
        await rate_limits.reserve("1/1 second", "misses", "a")
    assert caught.value.retry_after == 1


async def test_requiring_availability_counts_nothing(rate_limits):
    for _ in range(5):
        await rate_limits.require_available("1/10 minutes", "misses", "a")
    await rate_limits.reserve("1/10 minutes", "misses", "a")


async def test_requiring_availability_of_a_used_up_limit_has_the_wait(rate_limits):
    await rate_limits.reserve("1/10 minutes", "misses", "a")
    with pytest.raises(RateLimitExceededError) as caught:
        await rate_limits.require_available("1/10 minutes", "misses", "a")
    assert 590 <= caught.value.retry_after <= 600


@pytest.mark.parametrize(("name", "key"), [("misses", "b"), ("lookups", "a")])
async def test_other_keys_and_names_have_their_own_limit(rate_limits, name, key):
    await rate_limits.reserve("1/10 minutes", "misses", "a")
    await rate_limits.reserve("1/10 minutes", name, key)


async def test_parallel_reservations_do_not_exceed_the_limit(rate_limits):
    outcomes = await asyncio.gather(
        *(rate_limits.reserve("5/10 minutes", "misses", "a") for _ in range(20)), return_exceptions=True
    )
    assert sum(outcome is None for outcome in outcomes) == 5


async def test_the_error_does_not_name_the_key(rate_limits):
    await rate_limits.reserve("1/10 minutes", "misses", "0013542419")
    with pytest.raises(RateLimitExceededError) as caught:
        await rate_limits.reserve("1/10 minutes", "misses", "0013542419")
    assert "0013542419" not in str(caught.value)


@pytest.mark.parametrize("end", ["kill", "stop"])
async def test_no_caller_is_refused_because_redis_was_restarted(redis_server, end):
    counters = RateLimits(redis_server.url)
    await counters.reserve("100/10 minutes", f"restarted by {end}", "a")

    await asyncio.to_thread(getattr(redis_server, end))
    await asyncio.to_thread(redis_server.start)

    await counters.reserve("100/10 minutes", f"restarted by {end}", "a")
    await counters.close()
