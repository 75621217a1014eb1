"""Challenges in Redis, each in one hash, so that all parts of a challenge expire together.

The answer is stored as it is. It has only 100,000 possible values, so a hash would not hide it from a person who can
read Redis. It is protected because it never leaves this service and expires within minutes.
"""

from dataclasses import dataclass
from typing import Self

from limits import parse
from redis.asyncio import Redis

from desk.captcha.domain import ATTEMPTS, CLAIM_LIFE, LIFE, Challenge, Kind, NoneReadyError, Outcome, Purpose
from desk.captcha.store.calls import limit_time, pool_key
from desk.chassis.problem import RateLimitExceededError

# One round trip. A source over its limit takes nothing, and an empty pool does not count. A challenge is bound to its
# purpose and gets its expiry in the same step. A sound is downloaded later, so it moves to its own key.
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

# One step, so that guesses sent at the same time cannot exceed the attempts, and repeats of the right answer with one
# claim do not count as guesses.
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


@dataclass(frozen=True, slots=True)
class Limit:
    """The challenges of one source in a period, which begins with the first one."""

    most: int
    seconds: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a limit such as ``120/10 minutes``."""
        item = parse(text)
        return cls(item.amount, item.get_expiry())


class ChallengeStore:
    """Stores challenges until they expire; every change is one atomic step."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._issue = redis.register_script(_ISSUE)
        self._count = redis.register_script(_COUNT)
        self._check = redis.register_script(_ANSWER)

    async def issue(self, captcha_id: str, kind: Kind, purpose: Purpose, source: str, limit: Limit) -> bytes:
        """Take a challenge from the pool for ``source`` and store it until it expires, in one round trip.

        Return the image; for a sound nothing, see :meth:`find_sound`. Raises RateLimitExceededError, NoneReadyError
        or CaptchaUnavailableError.
        """
        keys = [_asked_key("code", source), pool_key(kind), _key(captcha_id)]
        keys += [_sound_key(captcha_id)] if kind is Kind.SOUND else []
        life = int(LIFE.total_seconds())
        call = self._issue(keys=keys, args=[limit.most, limit.seconds, purpose, life])
        outcome, value = await limit_time(call)
        _require_allowed(outcome, value)
        if _text(outcome) == "empty":
            raise NoneReadyError(f"no {kind} is ready")
        return bytes(value)

    async def count_work(self, source: str, limit: Limit) -> int:
        """Count a proof of work for ``source``; return the number before it. Raises RateLimitExceededError."""
        call = self._count(keys=[_asked_key("work", source)], args=[limit.most, limit.seconds])
        outcome, value = await limit_time(call)
        _require_allowed(outcome, value)
        return int(value)

    async def find_sound(self, captcha_id: str) -> bytes | None:
        """Return the sound of a challenge, or None if there is none or it has expired."""
        found = await limit_time(self._redis.get(_sound_key(captcha_id)))
        return found.encode() if isinstance(found, str) else found

    async def add(self, captcha_id: str, challenge: Challenge) -> None:
        """Store a new challenge until it expires."""
        key = _key(captcha_id)
        steps = self._redis.pipeline(transaction=True)
        steps.hset(key, mapping={"purpose": challenge.purpose, "answer": challenge.answer})
        steps.expire(key, LIFE)
        await limit_time(steps.execute())

    async def check_answer(self, captcha_id: str, purpose: Purpose, typed: str, claim: str) -> tuple[Outcome, int]:
        """Check a normalized answer; return its outcome and the number of attempts left.

        The right answer uses the challenge up for ``claim``, and is right again for this claim only. Any other answer
        counts as an attempt.
        """
        call = self._check(
            keys=[_key(captcha_id)],
            args=[purpose, typed, claim, ATTEMPTS, int(CLAIM_LIFE.total_seconds())],
        )
        outcome, left = await limit_time(call)
        return Outcome(_text(outcome) or ""), int(left)

    async def ping(self) -> None:
        """Make one round trip."""
        await limit_time(self._redis.ping())


def _require_allowed(outcome: bytes | str, seconds: int) -> None:
    if _text(outcome) == "exhausted":
        raise RateLimitExceededError("captchas", retry_after=max(1, int(seconds)))


def _asked_key(what: str, source: str) -> str:
    return f"captcha-asked:{what}:{source}"


def _sound_key(captcha_id: str) -> str:
    return f"captcha-sound:{captcha_id}"


def _key(captcha_id: str) -> str:
    return f"captcha:{captcha_id}"


def _text(value: bytes | str | None) -> str | None:
    """Return a text, which the client may or may not have decoded."""
    return value.decode() if isinstance(value, bytes) else value
