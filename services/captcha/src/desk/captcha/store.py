"""Challenges in Redis: one hash each, so that no part of a challenge outlives another.

The answer lies there as it is. It has only 100,000 possible values, so a hash, keyed or not, would hide it from nobody
who can read the store; what protects it is that it never leaves this service and is gone in minutes.
"""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from redis.asyncio import Redis
from redis.exceptions import RedisError

from desk.captcha.domain import CLAIM_LIFE, LIFE, CaptchaUnavailableError, Challenge, Purpose

CALL_SECONDS = 2.0

T_ = TypeVar("T_")
_running: set[object] = set()


async def within_time(call: Awaitable[T_]) -> T_:
    """Await a call to Redis for at most two seconds. Raises CaptchaUnavailableError if Redis is away or slow.

    The call itself is shielded: cut off between command and reply, it could leave the reply on a connection for the
    next caller to read. For the same reason pipelines here are not context managers, which would give their connection
    back while the shielded call still uses it; ``execute`` gives it back by itself.
    """
    running = asyncio.ensure_future(call)
    _running.add(running)  # the event loop itself holds tasks only weakly
    running.add_done_callback(_running.discard)
    try:
        async with asyncio.timeout(CALL_SECONDS):
            return await asyncio.shield(running)
    except (RedisError, OSError, TimeoutError) as error:
        raise CaptchaUnavailableError(f"redis: {type(error).__name__}") from error


class ChallengeStore:
    """Keeps challenges until they expire; every change is one atomic step on one key."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def add(self, captcha_id: str, challenge: Challenge) -> None:
        """Keep a new challenge for its life."""
        key = _key(captcha_id)
        steps = self._redis.pipeline(transaction=True)
        steps.hset(key, mapping={"purpose": challenge.purpose, "answer": challenge.answer})
        steps.expire(key, LIFE)
        await within_time(steps.execute())

    async def get(self, captcha_id: str) -> Challenge | None:
        """Return the challenge, or None if there is none or it is no more."""
        fields = await within_time(self._redis.hmget(_key(captcha_id), ["purpose", "answer", "claim"]))
        purpose, answer, claim = (_text(field) for field in fields)
        if purpose is None or answer is None:
            return None
        return Challenge(Purpose(purpose), answer, claim)

    async def count_try(self, captcha_id: str) -> int:
        """Count one more try, before anything is compared, and return how many there have been."""
        key = _key(captcha_id)
        steps = self._redis.pipeline(transaction=True)
        steps.hincrby(key, "tries", 1)
        steps.expire(key, LIFE, nx=True)  # for a challenge that expired a moment ago
        tries, _ = await within_time(steps.execute())
        return int(tries)

    async def claim(self, captcha_id: str, claim: str) -> str:
        """Use the challenge up for ``claim`` unless another was first; return the claim that has it."""
        key = _key(captcha_id)
        steps = self._redis.pipeline(transaction=True)
        steps.hsetnx(key, "claim", claim)
        steps.hget(key, "claim")
        steps.expire(key, CLAIM_LIFE)
        _, holder, _ = await within_time(steps.execute())
        return _text(holder) or ""

    async def ping(self) -> None:
        """Make one round trip."""
        await within_time(self._redis.ping())


def _key(captcha_id: str) -> str:
    return f"captcha:{captcha_id}"


def _text(value: bytes | str | None) -> str | None:
    """Read a field, whether or not the client was made to decode."""
    return value.decode() if isinstance(value, bytes) else value
