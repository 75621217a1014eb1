"""Counts look-ups and mismatches in Redis, in one step for all replicas."""

import secrets
import time
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from limits import parse
from redis.asyncio import Redis

from desk.chassis.redis import within_time

HOLD_MS = 15_000
"""How long a look-up whose end was not reported counts as a mismatch; longer than any look-up takes."""

# All limits are checked before anything is counted. A look-up in progress counts as a mismatch until it has ended, so
# that guesses sent at the same time, to several replicas, cannot exceed the limit.
_RESERVE = """
local now, id, hold = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3])
local alarm = 0
redis.call('PFADD', KEYS[6], ARGV[4])
if redis.call('TTL', KEYS[6]) < 0 then redis.call('EXPIRE', KEYS[6], ARGV[6]) end
if redis.call('PFCOUNT', KEYS[6]) >= tonumber(ARGV[5]) and redis.call('SET', KEYS[7], '1', 'NX', 'EX', ARGV[6]) then
  alarm = 1
end
local missed, held = KEYS[1], KEYS[2]
local most, window = tonumber(ARGV[7]), tonumber(ARGV[8])
redis.call('ZREMRANGEBYSCORE', missed, '-inf', now - window)
redis.call('ZREMRANGEBYSCORE', held, '-inf', now - hold)
local misses = redis.call('ZCARD', missed)
if misses >= most then
  local oldest = redis.call('ZRANGE', missed, 0, 0, 'WITHSCORES')
  return {'exhausted', 1, math.ceil((tonumber(oldest[2]) + window - now) / 1000), alarm}
end
for which = 0, 2 do
  if tonumber(redis.call('GET', KEYS[3 + which]) or '0') >= tonumber(ARGV[9 + which * 2]) then
    return {'exhausted', which + 2, redis.call('TTL', KEYS[3 + which]), alarm}
  end
end
if misses + redis.call('ZCARD', held) >= most then return {'busy', 0, 0, alarm} end
for which = 0, 2 do
  if redis.call('INCR', KEYS[3 + which]) == 1 then redis.call('EXPIRE', KEYS[3 + which], ARGV[10 + which * 2]) end
end
redis.call('ZADD', held, now, id)
redis.call('PEXPIRE', held, hold)
return {'reserved', 0, 0, alarm}
"""

_SETTLE = """
redis.call('ZREM', KEYS[2], ARGV[2])
if ARGV[3] == '1' then
  redis.call('ZADD', KEYS[1], ARGV[1], ARGV[2])
  redis.call('PEXPIRE', KEYS[1], ARGV[4])
end
"""

_LIMITS = (
    "mismatches_per_source",
    "lookups_per_source",
    "lookups_per_number",
    "lookups_of_service",
)
"""The limits in the order of the script, which numbers them from 1."""


@dataclass(frozen=True, slots=True)
class Limit:
    """At most so many in so many seconds."""

    most: int
    seconds: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a limit such as ``5/10 minutes``."""
        item = parse(text)
        return cls(item.amount, item.get_expiry())


@dataclass(frozen=True, slots=True)
class LookupLimits:
    """The limits of look-ups."""

    mismatches_per_source: Limit
    lookups_per_source: Limit
    lookups_per_number: Limit
    lookups_of_service: Limit
    fan_out: Limit
    """So many different numbers from one source raise an alarm."""


@dataclass(frozen=True, slots=True)
class Reservation:
    """A look-up in progress."""

    id: str
    keys: tuple[str, ...]

    @classmethod
    def new(cls, source_index: str) -> Self:
        """Return a reservation for a source, which is not counted yet."""
        keys = (f"registry:missed:source:{source_index}", f"registry:held:source:{source_index}")
        return cls(secrets.token_hex(8), keys)


class Status(StrEnum):
    """The result of an attempt to reserve a look-up."""

    RESERVED = "reserved"
    BUSY = "busy"
    """Look-ups in progress may still use up the mismatches that are left."""
    EXHAUSTED = "exhausted"


@dataclass(frozen=True, slots=True)
class Attempt:
    """The result of an attempt to reserve, with the limit that is exhausted and the seconds until it is not."""

    status: Status
    limit: str
    retry_after: int
    fan_out: bool
    """Whether the source has just reached the fan-out limit; true once in each period of the limit."""


class LookupCounters:
    """The counters of all limits."""

    def __init__(self, redis: Redis, limits: LookupLimits) -> None:
        self._limits = limits
        self._reserve = redis.register_script(_RESERVE)
        self._settle = redis.register_script(_SETTLE)

    async def reserve(self, reservation: Reservation, number_index: str, source_index: str) -> Attempt:
        """Count a look-up if no limit is exhausted. Raises ServiceUnavailableError if Redis is unavailable."""
        keys = (
            *reservation.keys,
            f"registry:asked:source:{source_index}",
            f"registry:asked:number:{number_index}",
            "registry:asked:all",
            f"registry:numbers:{source_index}",
            f"registry:fan-out:{source_index}",
        )
        args: list[int | str] = [_now_ms(), reservation.id, HOLD_MS, number_index, *self._limit_args()]
        status, limit, seconds, fan_out = await within_time(self._reserve(keys=keys, args=args))
        name = _LIMITS[limit - 1] if limit else ""
        return Attempt(Status(_text(status)), name, max(1, int(seconds)), bool(fan_out))

    def _limit_args(self) -> list[int]:
        limits = self._limits
        args = [limits.fan_out.most, limits.fan_out.seconds]
        args += [limits.mismatches_per_source.most, limits.mismatches_per_source.seconds * 1000]
        for limit in (limits.lookups_per_source, limits.lookups_per_number, limits.lookups_of_service):
            args += [limit.most, limit.seconds]
        return args

    async def count_mismatch(self, reservation: Reservation) -> None:
        """End a look-up as a mismatch. Raises ServiceUnavailableError."""
        window = self._limits.mismatches_per_source.seconds * 1000
        await within_time(self._settle(keys=reservation.keys, args=[_now_ms(), reservation.id, 1, window]))

    async def release(self, reservation: Reservation) -> None:
        """End a look-up that was not a mismatch. Raises ServiceUnavailableError."""
        await within_time(self._settle(keys=reservation.keys, args=[_now_ms(), reservation.id, 0, 0]))


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value


def _now_ms() -> int:
    return int(time.time() * 1000)
