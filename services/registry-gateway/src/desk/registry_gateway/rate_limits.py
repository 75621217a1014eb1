"""What one source, one number and everybody together may ask, counted in Redis in one step for all replicas."""

import asyncio
import secrets
import time
from dataclasses import dataclass
from typing import Self

import structlog
from limits import parse
from prometheus_client import Counter
from redis.asyncio import Redis

from desk.chassis.problem import RateLimitExceededError, ServiceUnavailableError
from desk.chassis.redis import within_time
from desk.chassis.telemetry import Telemetry

log = structlog.get_logger(__name__)

HOLD_MS = 15_000
"""How long a look-up that never reported its end counts as a mismatch: longer than any look-up takes."""
BUSY_SECONDS, BUSY_PAUSE_SECONDS, BUSY_RETRY_SECONDS = 0.8, 0.05, 2
"""How long a look-up waits for others of its source to end, how often it looks, and when it may come back after all."""

# Everything is checked before anything is taken. A look-up under way counts as a mismatch until it has ended, so that
# guesses sent all at once, to many replicas, do not overtake the budget.
_PAY = """
local now, id, hold = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3])
local alarm = 0
redis.call('PFADD', KEYS[8], ARGV[4])
if redis.call('TTL', KEYS[8]) < 0 then redis.call('EXPIRE', KEYS[8], ARGV[6]) end
if redis.call('PFCOUNT', KEYS[8]) >= tonumber(ARGV[5]) and redis.call('SET', KEYS[9], '1', 'NX', 'EX', ARGV[6]) then
  alarm = 1
end
local busy = 0
for which = 0, 1 do
  local missed, held = KEYS[1 + which * 2], KEYS[2 + which * 2]
  local most, window = tonumber(ARGV[7 + which * 2]), tonumber(ARGV[8 + which * 2])
  redis.call('ZREMRANGEBYSCORE', missed, '-inf', now - window)
  redis.call('ZREMRANGEBYSCORE', held, '-inf', now - hold)
  local misses = redis.call('ZCARD', missed)
  if misses >= most then
    local oldest = redis.call('ZRANGE', missed, 0, 0, 'WITHSCORES')
    return {'exhausted', which + 1, math.ceil((tonumber(oldest[2]) + window - now) / 1000), alarm}
  end
  if misses + redis.call('ZCARD', held) >= most then busy = 1 end
end
for which = 0, 2 do
  if tonumber(redis.call('GET', KEYS[5 + which]) or '0') >= tonumber(ARGV[11 + which * 2]) then
    return {'exhausted', which + 3, redis.call('TTL', KEYS[5 + which]), alarm}
  end
end
if busy == 1 then return {'busy', 0, 0, alarm} end
for which = 0, 2 do
  if redis.call('INCR', KEYS[5 + which]) == 1 then redis.call('EXPIRE', KEYS[5 + which], ARGV[12 + which * 2]) end
end
for which = 0, 1 do
  redis.call('ZADD', KEYS[2 + which * 2], now, id)
  redis.call('PEXPIRE', KEYS[2 + which * 2], hold)
end
return {'paid', 0, 0, alarm}
"""

_SETTLE = """
for which = 0, 1 do
  redis.call('ZREM', KEYS[2 + which * 2], ARGV[2])
  if ARGV[3] == '1' then
    redis.call('ZADD', KEYS[1 + which * 2], ARGV[1], ARGV[2])
    redis.call('PEXPIRE', KEYS[1 + which * 2], ARGV[4 + which])
  end
end
"""

_NAMES = (
    "",
    "mismatches_per_source",
    "mismatches_per_number",
    "lookups_per_source",
    "lookups_per_number",
    "lookups_of_service",
)


@dataclass(frozen=True, slots=True)
class Allowances:
    """How often the registry may be asked, each in the form ``5/10 minutes``."""

    mismatches_per_source: str
    mismatches_per_number: str
    lookups_per_source: str
    lookups_per_number: str
    lookups_of_service: str
    fan_out: str
    """So many numbers from one source in so long a time are told to the operators."""


@dataclass(frozen=True, slots=True)
class _Allowance:
    most: int
    seconds: int

    @classmethod
    def of(cls, budget: str) -> Self:
        item = parse(budget)
        return cls(item.amount, item.get_expiry())


@dataclass(frozen=True, slots=True)
class Paid:
    """A look-up that was paid for and has not yet reported its end."""

    id: str
    keys: tuple[str, ...]


class LookupBudgets:
    """Counts look-ups and, apart from them, mismatches: a sweep shows in its mismatches."""

    def __init__(self, redis: Redis, allowances: Allowances, telemetry: Telemetry) -> None:
        self._miss_source = _Allowance.of(allowances.mismatches_per_source)
        self._miss_number = _Allowance.of(allowances.mismatches_per_number)
        self._asked = [
            _Allowance.of(text)
            for text in (allowances.lookups_per_source, allowances.lookups_per_number, allowances.lookups_of_service)
        ]
        self._fan_out = _Allowance.of(allowances.fan_out)
        self._pay = redis.register_script(_PAY)
        self._settle = redis.register_script(_SETTLE)
        self._releasing: set[asyncio.Task[None]] = set()
        registry = telemetry.registry
        self._refused = Counter("desk_registry_refused", "Look-ups refused", ["budget"], registry=registry)
        self._fan_outs = Counter(
            "desk_registry_fan_outs", "Sources that asked for suspiciously many numbers", registry=registry
        )

    async def pay(self, number_index: str, source_index: str) -> Paid:
        """Pay for a look-up before it is made; its end is told to :meth:`charge` or :meth:`release`.

        Raises RateLimitExceededError, or ServiceUnavailableError when Redis is away.
        """
        paid = Paid(
            secrets.token_hex(8),
            (
                f"registry:missed:source:{source_index}",
                f"registry:held:source:{source_index}",
                f"registry:missed:number:{number_index}",
                f"registry:held:number:{number_index}",
            ),
        )
        keys = (
            *paid.keys,
            f"registry:asked:source:{source_index}",
            f"registry:asked:number:{number_index}",
            "registry:asked:all",
            f"registry:numbers:{source_index}",
            f"registry:fan-out:{source_index}",
        )
        patience = time.monotonic() + BUSY_SECONDS
        while True:
            prices = self._prices(paid, number_index)
            outcome, which, seconds, alarm = await within_time(self._pay(keys=keys, args=prices))
            if alarm:
                self._fan_outs.inc()
                log.error(
                    "fan-out: one source asks for many numbers", source=source_index[:12], most=self._fan_out.most
                )
            if _text(outcome) != "busy" or time.monotonic() >= patience:
                break
            await asyncio.sleep(BUSY_PAUSE_SECONDS)
        match _text(outcome):
            case "paid":
                return paid
            case "busy":
                self._refused.labels("busy").inc()
                raise RateLimitExceededError("look-ups of this source under way", retry_after=BUSY_RETRY_SECONDS)
            case _:
                self._refused.labels(_NAMES[which]).inc()
                raise RateLimitExceededError(_NAMES[which], retry_after=max(1, int(seconds)))

    def _prices(self, paid: Paid, number_index: str) -> list[str | int]:
        prices: list[str | int] = [_now_ms(), paid.id, HOLD_MS, number_index]
        prices += [self._fan_out.most, self._fan_out.seconds]
        for allowance in (self._miss_source, self._miss_number):
            prices += [allowance.most, allowance.seconds * 1000]
        for allowance in self._asked:
            prices += [allowance.most, allowance.seconds]
        return prices

    async def charge(self, paid: Paid) -> None:
        """Count a look-up as a mismatch for good. Raises ServiceUnavailableError: then nothing may be answered."""
        windows: list[str | int] = [self._miss_source.seconds * 1000, self._miss_number.seconds * 1000]
        await within_time(self._settle(keys=paid.keys, args=[_now_ms(), paid.id, 1, *windows]))

    def release(self, paid: Paid) -> None:
        """Let go of a look-up that was no mismatch, without keeping anybody waiting; if that fails, time does it."""
        releasing = asyncio.create_task(self._release(paid))
        self._releasing.add(releasing)  # the event loop itself holds tasks only weakly
        releasing.add_done_callback(self._releasing.discard)

    async def _release(self, paid: Paid) -> None:
        try:
            await within_time(self._settle(keys=paid.keys, args=[_now_ms(), paid.id, 0, 0, 0]))
        except ServiceUnavailableError as error:
            log.warning("look-up not released", error=str(error), seconds=HOLD_MS // 1000)

    async def close(self) -> None:
        """Finish what is being released."""
        await asyncio.gather(*self._releasing)


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value


def _now_ms() -> int:
    return int(time.time() * 1000)
