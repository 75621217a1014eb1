"""Challenges in Redis: one hash each, so that no part of a challenge outlives another.

The answer lies there as it is. It has only 100,000 possible values, so a hash, keyed or not, would hide it from nobody
who can read the store; what protects it is that it never leaves this service and is gone in minutes.
"""

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Self, TypeVar

from limits import parse
from redis.asyncio import Redis

from desk.captcha.domain import (
    CLAIM_LIFE,
    LIFE,
    TRIES,
    CaptchaUnavailableError,
    Challenge,
    Kind,
    NoneReadyError,
    Outcome,
    Purpose,
)
from desk.chassis.problem import RateLimitExceededError, ServiceUnavailableError
from desk.chassis.redis import within_time

# One round trip: whoever has asked too often takes nothing, an empty pool counts against nobody, and what is taken is
# bound to its purpose and expires in the same step. What is heard is fetched later, so it moves to a key of its own.
_ISSUE = """
local asked = tonumber(redis.call('GET', KEYS[1]) or '0')
if asked >= tonumber(ARGV[1]) then return {'exhausted', redis.call('TTL', KEYS[1])} end
local item = redis.call('LPOP', KEYS[2])
if not item then return {'empty', 0} end
if redis.call('INCR', KEYS[1]) == 1 then redis.call('EXPIRE', KEYS[1], ARGV[2]) end
local colon = string.find(item, ':', 1, true)
redis.call('HSET', KEYS[3], 'purpose', ARGV[3], 'answer', string.sub(item, 1, colon - 1))
redis.call('EXPIRE', KEYS[3], ARGV[4])
local shown = string.sub(item, colon + 1)
if KEYS[4] == nil then return {'issued', shown} end
redis.call('SET', KEYS[4], shown, 'EX', ARGV[4])
return {'issued', ''}
"""

_COUNT = """
local asked = tonumber(redis.call('GET', KEYS[1]) or '0')
if asked >= tonumber(ARGV[1]) then return {'exhausted', redis.call('TTL', KEYS[1])} end
if redis.call('INCR', KEYS[1]) == 1 then redis.call('EXPIRE', KEYS[1], ARGV[2]) end
return {'counted', asked}
"""

# One step, so that guesses sent all at once do not overtake the tries, and repeats of the right one, sent all at once
# with one claim, are not taken for guesses.
_ANSWER = """
local purpose, answer, claim = unpack(redis.call('HMGET', KEYS[1], 'purpose', 'answer', 'claim'))
if purpose ~= ARGV[1] then return {'expired', 0} end
local right = answer == ARGV[2]
if claim then
  if right and claim == ARGV[3] then return {'right', 0} end
  return {'expired', 0}
end
local left = tonumber(ARGV[4]) - redis.call('HINCRBY', KEYS[1], 'tries', 1)
if left < 0 then return {'expired', 0} end
if right then
  redis.call('HSET', KEYS[1], 'claim', ARGV[3])
  redis.call('EXPIRE', KEYS[1], ARGV[5])
  return {'right', left}
end
return {left > 0 and 'wrong' or 'expired', left}
"""

T_ = TypeVar("T_")


async def in_time(call: Awaitable[T_]) -> T_:
    """Await a call to Redis as every service does. Raises CaptchaUnavailableError if Redis is away or slow.

    Pipelines here are not context managers, which would give their connection back while the call, which goes on when
    nobody waits for it any more, still uses it; ``execute`` gives it back by itself.
    """
    try:
        return await within_time(call)
    except ServiceUnavailableError as error:
        raise CaptchaUnavailableError(str(error)) from error


@dataclass(frozen=True, slots=True)
class Allowance:
    """How many challenges one source may have in a window, counted from its first one."""

    most: int
    seconds: int

    @classmethod
    def of(cls, budget: str) -> Self:
        """Read a budget such as ``120/10 minutes``."""
        item = parse(budget)
        return cls(item.amount, item.get_expiry())


class ChallengeStore:
    """Keeps challenges until they expire; every change is one atomic step."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._issue = redis.register_script(_ISSUE)
        self._count = redis.register_script(_COUNT)
        self._answer = redis.register_script(_ANSWER)

    async def issue(self, captcha_id: str, kind: Kind, purpose: Purpose, source: str, allowance: Allowance) -> bytes:
        """Take one from the pool for ``source`` and keep it for its life, in one round trip.

        Returns the picture; nothing for a sound, which :meth:`sound` gives. Raises RateLimitExceededError,
        NoneReadyError or CaptchaUnavailableError.
        """
        keys = [_asked_key("code", source), pool_key(kind), _key(captcha_id)]
        keys += [_sound_key(captcha_id)] if kind is Kind.SOUND else []
        life = int(LIFE.total_seconds())
        call = self._issue(keys=keys, args=[allowance.most, allowance.seconds, purpose, life])
        outcome, value = await in_time(call)
        _demand_allowed(outcome, value)
        if _text(outcome) == "empty":
            raise NoneReadyError(f"no {kind} is ready")
        return bytes(value)

    async def count_work(self, source: str, allowance: Allowance) -> int:
        """Count a proof of work for ``source`` and return how many it had before. Raises RateLimitExceededError."""
        call = self._count(keys=[_asked_key("work", source)], args=[allowance.most, allowance.seconds])
        outcome, value = await in_time(call)
        _demand_allowed(outcome, value)
        return int(value)

    async def sound(self, captcha_id: str) -> bytes | None:
        """Return what is to be heard, or None if there is none or it is no more."""
        found = await in_time(self._redis.get(_sound_key(captcha_id)))
        return found.encode() if isinstance(found, str) else found

    async def add(self, captcha_id: str, challenge: Challenge) -> None:
        """Keep a new challenge for its life."""
        key = _key(captcha_id)
        steps = self._redis.pipeline(transaction=True)
        steps.hset(key, mapping={"purpose": challenge.purpose, "answer": challenge.answer})
        steps.expire(key, LIFE)
        await in_time(steps.execute())

    async def answer(self, captcha_id: str, purpose: Purpose, typed: str, claim: str) -> tuple[Outcome, int]:
        """Take an answer, written as the store has it; return what it came to and how many tries are left.

        A challenge that was there before is used up for ``claim`` by the right answer, and is right again for that
        claim alone. Everything else counts as a try.
        """
        call = self._answer(
            keys=[_key(captcha_id)],
            args=[purpose, typed, claim, TRIES, int(CLAIM_LIFE.total_seconds())],
        )
        outcome, left = await in_time(call)
        return Outcome(_text(outcome) or ""), int(left)

    async def ping(self) -> None:
        """Make one round trip."""
        await in_time(self._redis.ping())


def _demand_allowed(outcome: bytes | str, seconds: int) -> None:
    if _text(outcome) == "exhausted":
        raise RateLimitExceededError("captchas", retry_after=max(1, int(seconds)))


def pool_key(kind: Kind) -> str:
    """Return where the ready ones lie; the number changes with their form, so that old and new replicas can mix."""
    return f"captcha-pool:1:{kind}"


def _asked_key(what: str, source: str) -> str:
    return f"captcha-asked:{what}:{source}"


def _sound_key(captcha_id: str) -> str:
    return f"captcha-sound:{captcha_id}"


def _key(captcha_id: str) -> str:
    return f"captcha:{captcha_id}"


def _text(value: bytes | str | None) -> str | None:
    """Read a field, whether or not the client was made to decode."""
    return value.decode() if isinstance(value, bytes) else value
