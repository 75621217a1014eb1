"""Rate limits: how often an attempt is allowed."""

import asyncio
import uuid
from dataclasses import replace

import pytest

from desk.chassis.problem import ProofRequiredError, RateLimitExceededError
from desk.chassis.rate_limits import Attempt, RateLimits, source_network
from desk.chassis.telemetry import Telemetry


@pytest.fixture(params=["memory", "redis"])
async def rate_limits(request):
    """Count in the process and in Redis; each test has keys of its own."""
    url = "memory://" if request.param == "memory" else request.getfixturevalue("redis_server").url
    limits = RateLimits(url)
    yield KeysOfTheirOwn(limits, uuid.uuid4().hex)
    await limits.close()


class KeysOfTheirOwn:
    """Rate limits whose keys no other test uses."""

    def __init__(self, limits, prefix):
        self._limits, self._prefix = limits, prefix

    async def reserve(self, limit, name, key):
        return await self._limits.reserve(limit, name, f"{self._prefix}{key}")

    async def reserve_all(self, *attempts, level=0):
        own = (replace(each, key=f"{self._prefix}{each.key}") for each in attempts)
        return await self._limits.reserve_all(*own, level=level)

    async def require_available(self, limit, name, key):
        await self._limits.require_available(limit, name, f"{self._prefix}{key}")

    async def release(self, reservation):
        await self._limits.release(reservation)


async def test_a_rate_limit_can_be_used_up(rate_limits):
    for _ in range(3):
        await rate_limits.reserve("3/10 minutes", "misses", "a")
    with pytest.raises(RateLimitExceededError):
        await rate_limits.reserve("3/10 minutes", "misses", "a")


async def test_an_exceeded_rate_limit_has_the_seconds_until_the_next_attempt(rate_limits):
    await rate_limits.reserve("1/10 minutes", "misses", "a")
    with pytest.raises(RateLimitExceededError) as caught:
        await rate_limits.reserve("1/10 minutes", "misses", "a")
    assert 540 <= caught.value.retry_after <= 600


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
    assert 540 <= caught.value.retry_after <= 600


@pytest.mark.parametrize(("name", "key"), [("misses", "b"), ("lookups", "a")])
async def test_other_keys_and_names_have_their_own_limit(rate_limits, name, key):
    await rate_limits.reserve("1/10 minutes", "misses", "a")
    await rate_limits.reserve("1/10 minutes", name, key)


async def test_parallel_reservations_do_not_exceed_the_limit(rate_limits):
    outcomes = await asyncio.gather(
        *(rate_limits.reserve("5/10 minutes", "misses", "a") for _ in range(50)), return_exceptions=True
    )
    assert sum(not isinstance(outcome, RateLimitExceededError) for outcome in outcomes) == 5


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


async def test_a_released_attempt_does_not_count(rate_limits):
    for _ in range(10):
        await rate_limits.release(await rate_limits.reserve("2/10 minutes", "misses", "a"))
    first = await rate_limits.reserve("2/10 minutes", "misses", "a")
    await rate_limits.reserve("2/10 minutes", "misses", "a")
    await rate_limits.release(first)
    await rate_limits.reserve("2/10 minutes", "misses", "a")
    with pytest.raises(RateLimitExceededError):
        await rate_limits.reserve("2/10 minutes", "misses", "a")


async def test_an_attempt_counts_under_all_limits_or_none(rate_limits):
    await rate_limits.reserve("1/hour", "per mobile", "m")
    with pytest.raises(RateLimitExceededError, match="per mobile"):
        await rate_limits.reserve_all(Attempt("1/hour", "per identity", "i"), Attempt("1/hour", "per mobile", "m"))
    await rate_limits.reserve("1/hour", "per identity", "i")


async def test_a_costly_attempt_uses_more_of_the_limit(rate_limits):
    await rate_limits.reserve_all(Attempt("10/hour", "megabytes", "a", cost=7))
    with pytest.raises(RateLimitExceededError) as caught:
        await rate_limits.reserve_all(Attempt("10/hour", "megabytes", "a", cost=4))
    assert 3540 <= caught.value.retry_after <= 3600
    second = await rate_limits.reserve_all(Attempt("10/hour", "megabytes", "a", cost=3))
    await rate_limits.release(second)
    await rate_limits.reserve_all(Attempt("10/hour", "megabytes", "a", cost=2))


@pytest.mark.parametrize(
    ("source", "network"),
    [
        ("5.112.3.4", "5.112.3.4/32"),
        ("::ffff:5.112.3.4", "5.112.3.4/32"),
        ("2001:db8:1:2ff::1", "2001:db8:1:200::/56"),
        ("2001:db8:1:200:ffff::9", "2001:db8:1:200::/56"),
        ("unknown", "unknown"),
    ],
)
def test_a_source_is_an_ipv4_address_or_an_ipv6_56(source, network):
    assert source_network(source) == network


def guess(limit="3/10 minutes", name="misses", key="a"):
    return Attempt(limit, name, key, proof=True)


async def test_beyond_a_limit_of_guesses_the_level_of_the_proof_rises_with_each_attempt(rate_limits):
    for _ in range(3):
        await rate_limits.reserve_all(guess())
    for level in (1, 2, 3, 4, 5, 5):
        with pytest.raises(ProofRequiredError) as caught:
            await rate_limits.reserve_all(guess(), level=level - 1)
        assert caught.value.level == level
        await rate_limits.reserve_all(guess(), level=level)


async def test_parallel_guesses_without_a_proof_do_not_exceed_the_limit(rate_limits):
    outcomes = await asyncio.gather(*(rate_limits.reserve_all(guess()) for _ in range(50)), return_exceptions=True)
    assert sum(not isinstance(outcome, ProofRequiredError) for outcome in outcomes) == 3


async def test_parallel_guesses_with_one_level_pass_until_the_next_level_is_needed(rate_limits):
    for _ in range(3):
        await rate_limits.reserve_all(guess())
    outcomes = await asyncio.gather(
        *(rate_limits.reserve_all(guess(), level=2) for _ in range(50)), return_exceptions=True
    )
    assert sum(not isinstance(outcome, ProofRequiredError) for outcome in outcomes) == 2


async def test_a_right_answer_after_a_proof_does_not_raise_the_level(rate_limits):
    for _ in range(3):
        await rate_limits.reserve_all(guess())
    for _ in range(5):
        await rate_limits.release(await rate_limits.reserve_all(guess(), level=1))


async def test_a_proof_does_not_admit_an_attempt_under_a_limit_that_refuses(rate_limits):
    await rate_limits.reserve_all(guess("1/hour"), Attempt("1/hour", "sent", "m"), level=5)
    with pytest.raises(RateLimitExceededError, match="sent"):
        await rate_limits.reserve_all(guess("1/hour"), Attempt("1/hour", "sent", "m"), level=5)


async def test_refusals_and_proofs_are_counted_by_limit_and_level():
    telemetry = Telemetry("counted")
    limits = RateLimits("memory://", telemetry=telemetry)
    guess = Attempt("1/hour", "misses", "a", proof=True)
    await limits.reserve("1/hour", "requests", "a")
    with pytest.raises(RateLimitExceededError):
        await limits.reserve("1/hour", "requests", "a")
    await limits.reserve_all(guess)
    with pytest.raises(ProofRequiredError):
        await limits.reserve_all(guess)
    await limits.reserve_all(guess, level=1)
    with pytest.raises(ProofRequiredError):
        await limits.reserve_all(guess, level=1)
    with pytest.raises(ProofRequiredError) as caught:
        await limits.reserve_all(guess, waits=True)
    assert (caught.value.limit, caught.value.level) == ("misses", 2)
    counted = telemetry.registry.get_sample_value
    assert counted("desk_rate_limit_refusals_total", {"limit": "requests"}) == 1
    assert counted("desk_rate_limit_proofs_total", {"limit": "misses", "level": "1"}) == 1
    assert counted("desk_rate_limit_proofs_total", {"limit": "misses", "level": "2"}) == 1
