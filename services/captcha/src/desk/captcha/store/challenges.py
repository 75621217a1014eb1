"""Challenges in Redis, each in one hash, so that all parts of a challenge expire together.

The answer is stored as it is. It has only 100,000 possible values, so a hash would not hide it from a person who can
read Redis. It is protected because it never leaves this service and expires within minutes.
"""

import time
from collections.abc import Mapping
from typing import Any

from redis.asyncio import Redis

from desk.captcha.domain import ATTEMPTS, CLAIM_LIFE, LIFE, Challenge, Checked, Kind, NoneReadyError, Outcome, Purpose
from desk.captcha.store.calls import limit_time, pool_key
from desk.chassis.crypto import blind_index
from desk.chassis.rate_limits import source_network

# One round trip. A challenge is bound to its purpose and gets its expiry in the same step. A sound is downloaded later,
# so it moves to its own key.
_ISSUE = """
local item = redis.call('LPOP', KEYS[1])
if not item then return {'empty', '', 0} end
local left = redis.call('LLEN', KEYS[1])
local colon = string.find(item, ':', 1, true)
redis.call('HSET', KEYS[2], 'purpose', ARGV[1], 'answer', string.sub(item, 1, colon - 1))
redis.call('EXPIRE', KEYS[2], ARGV[2])
local shown = string.sub(item, colon + 1)
if KEYS[3] == nil then return {'issued', shown, left} end
redis.call('SET', KEYS[3], shown, 'EX', ARGV[2])
return {'issued', '', left}
"""

# One step, so that guesses sent at the same time cannot exceed the attempts, and repeats of the right answer with one
# claim do not count as guesses. Nor does an answer before the challenge is usable.
_ANSWER = """
local fields = redis.call('HMGET', KEYS[1], 'purpose', 'answer', 'claim', 'level', 'usable', 'mobile')
local purpose, answer, claim = fields[1], fields[2], fields[3]
local level, early = tonumber(fields[4] or '0'), tonumber(fields[5] or '0') - tonumber(ARGV[6])
if purpose ~= ARGV[1] or (fields[6] or '') ~= ARGV[7] then return {'expired', 0, 0, 0} end
local right = answer == ARGV[2]
if claim then
  if right and claim == ARGV[3] then return {'right', 0, level, 0} end
  return {'expired', 0, 0, 0}
end
if early > 0 then return {'early', 0, level, math.ceil(early / 1000)} end
local left = tonumber(ARGV[4]) - redis.call('HINCRBY', KEYS[1], 'tries', 1)
if left < 0 then return {'expired', 0, 0, 0} end
if right then
  redis.call('HSET', KEYS[1], 'claim', ARGV[3])
  redis.call('EXPIRE', KEYS[1], ARGV[5])
  return {'right', left, level, 0}
end
return {left > 0 and 'wrong' or 'expired', left, level, 0}
"""


class ChallengeStore:
    """Stores challenges until they expire; every change is one atomic step."""

    def __init__(self, redis: Redis, index_key: bytes) -> None:
        """``index_key`` is the key of the hashes by which sources and mobiles are stored."""
        self._redis = redis
        self._index_key = index_key
        self._issue = redis.register_script(_ISSUE)
        self._check = redis.register_script(_ANSWER)

    async def issue(self, captcha_id: str, kind: Kind, purpose: Purpose) -> tuple[bytes, int]:
        """Take a challenge from the pool and store it until it expires, in one round trip.

        Return the image, which is empty for a sound (see :meth:`find_sound`), and the number of challenges left in the
        pool. Raises NoneReadyError or CaptchaUnavailableError.
        """
        keys = [pool_key(kind), _key(captcha_id)]
        keys += [_sound_key(captcha_id)] if kind is Kind.SOUND else []
        outcome, value, left = await limit_time(self._issue(keys=keys, args=[purpose, int(LIFE.total_seconds())]))
        if _text(outcome) == "empty":
            raise NoneReadyError(f"no {kind} is ready")
        return bytes(value), int(left)

    async def find_sound(self, captcha_id: str) -> bytes | None:
        """Return the sound of a challenge, or None if there is none or it has expired."""
        found = await limit_time(self._redis.get(_sound_key(captcha_id)))
        return found.encode() if isinstance(found, str) else found

    async def add(self, captcha_id: str, challenge: Challenge) -> None:
        """Store a new challenge until it expires."""
        key = _key(captcha_id)
        steps = self._redis.pipeline(transaction=True)
        steps.hset(key, mapping=self._fields(challenge))
        steps.expire(key, LIFE)
        await limit_time(steps.execute())

    async def check_answer(
        self, captcha_id: str, purpose: Purpose, typed: str, claim: str, mobile: str | None = None
    ) -> Checked:
        """Check a normalized answer; a challenge of another mobile, or of none, is an unknown one.

        The right answer uses the challenge up for ``claim``, and is right again for this claim only. Any other answer
        counts as an attempt, except before the challenge is usable.
        """
        now, life = int(time.time() * 1000), int(CLAIM_LIFE.total_seconds())
        call = self._check(
            keys=[_key(captcha_id)],
            args=[purpose, typed, claim, ATTEMPTS, life, now, self.mobile_index(mobile)],
        )
        outcome, left, level, wait = await limit_time(call)
        return Checked(Outcome(_text(outcome) or ""), int(left), int(level), int(wait))

    def mobile_index(self, mobile: str | None) -> str:
        """Return the keyed hash of a mobile: Redis contains no number that can be read. It is empty for None."""
        return "" if mobile is None else blind_index(self._index_key, mobile, "captcha.mobile")

    def source_index(self, source: str) -> str:
        """Return the keyed hash of the network that an address belongs to."""
        return blind_index(self._index_key, source_network(source), "captcha.source")

    def _fields(self, challenge: Challenge) -> Mapping[Any, Any]:
        fields = {
            "purpose": str(challenge.purpose),
            "answer": challenge.answer,
            "level": str(challenge.level),
            "mobile": self.mobile_index(challenge.mobile),
        }
        if challenge.usable_at is not None:
            fields["usable"] = str(int(challenge.usable_at.timestamp() * 1000))
        return fields

    async def ping(self) -> None:
        """Make one round trip."""
        await limit_time(self._redis.ping())


def _sound_key(captcha_id: str) -> str:
    return f"captcha-sound:{captcha_id}"


def _key(captcha_id: str) -> str:
    return f"captcha:{captcha_id}"


def _text(value: bytes | str | None) -> str | None:
    """Return a text, which the client may or may not have decoded."""
    return value.decode() if isinstance(value, bytes) else value
