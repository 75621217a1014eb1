"""Rate limits: moving-window counters per source, number or identity, in Redis or in the process.

An attempt is reserved before the act, so that attempts made at the same time, at several replicas, cannot exceed a
limit. An attempt that turns out not to count is released after the act.

A limit has one of two ends. Most limits refuse further attempts until the window has moved on. A limit of guesses
(``proof=True``) must not shut out a person who is right, behind an address or for a number that others have used up.
Beyond it each attempt needs a proof of work, whose level rises with each further attempt and doubles the work.
"""

import asyncio
import ipaddress
import math
import secrets
import time
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from limits import parse
from redis.asyncio import Redis
from redis.exceptions import RedisError

CALL_SECONDS = 2.0
MAX_LEVEL = 5
"""The highest level of a proof of work: 32 times the work of level 0, which an old phone finishes in a minute."""
_IPV4_PREFIX, _IPV6_PREFIX = 32, 56

# All counters are checked before anything is counted: an attempt counts everywhere or nowhere. ARGV: now, id, level,
# highest level, then limit, window in ms, cost and whether a proof admits for each key.
_RESERVE = """
local now, id, level, highest = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
for which = 1, #KEYS do
  local at = which * 4 + 1
  local most, window, cost = tonumber(ARGV[at]), tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
  redis.call('ZREMRANGEBYSCORE', KEYS[which], '-inf', now - window)
  local count = redis.call('ZCARD', KEYS[which])
  local over = count + cost - most
  if over > 0 then
    if ARGV[at + 3] == '1' then
      local needed = math.min(over, highest)
      if level < needed then return {which, 0, needed} end
    else
      local place = math.min(math.max(over - 1, 0), math.max(count - 1, 0))
      local entry = redis.call('ZRANGE', KEYS[which], place, place, 'WITHSCORES')
      local free = entry[2] and (tonumber(entry[2]) + window - now) or window
      return {which, math.ceil(free / 1000), 0}
    end
  end
end
if id ~= '' then
  for which = 1, #KEYS do
    local at = which * 4 + 1
    for part = 1, tonumber(ARGV[at + 2]) do redis.call('ZADD', KEYS[which], now, id .. ':' .. part) end
    redis.call('PEXPIRE', KEYS[which], ARGV[at + 1])
  end
end
return {0, 0, 0}
"""

_RELEASE = """
for which = 1, #KEYS do
  for part = 1, tonumber(ARGV[which + 1]) do redis.call('ZREM', KEYS[which], ARGV[1] .. ':' .. part) end
end
"""

T = TypeVar("T")
_running: set[object] = set()


class LimitExceededError(Exception):
    """A limit is used up; ``retry_after`` is the seconds until the next attempt is allowed."""

    def __init__(self, attempt: "Attempt", retry_after: int) -> None:
        super().__init__(f"{attempt.name} {attempt.limit}")
        self.name = attempt.name
        self.retry_after = retry_after


class ProofNeededError(Exception):
    """The next attempt needs a proof of work of this ``level``, from 1 to :data:`MAX_LEVEL`."""

    def __init__(self, attempt: "Attempt", level: int) -> None:
        super().__init__(f"{attempt.name} {attempt.limit}")
        self.name = attempt.name
        self.level = level


class CountersUnavailableError(Exception):
    """Redis is unavailable or too slow."""


async def within_time(call: Awaitable[T]) -> T:
    """Await a call to Redis for at most two seconds. Raises CountersUnavailableError if Redis is unavailable or slow.

    The call itself is shielded: if it were cancelled between command and reply, the next caller on that connection
    could read the reply.
    """
    running = asyncio.ensure_future(call)
    _running.add(running)  # the event loop itself holds tasks only weakly
    running.add_done_callback(_running.discard)
    try:
        async with asyncio.timeout(CALL_SECONDS):
            return await asyncio.shield(running)
    except (RedisError, OSError, TimeoutError) as error:
        raise CountersUnavailableError(f"redis: {type(error).__name__}") from error


def source_network(source: str) -> str:
    """Return the network that counts as one source: an IPv4 address, or the /56 of an IPv6 address.

    A household usually has a /56 of IPv6. A text that is no address is returned as it is.
    """
    try:
        address = ipaddress.ip_address(source)
    except ValueError:
        return source
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    prefix = _IPV4_PREFIX if isinstance(address, ipaddress.IPv4Address) else _IPV6_PREFIX
    return str(ipaddress.ip_network((address, prefix), strict=False))


def require_readable(limit: str) -> str:
    """Return a limit such as ``5/10 minutes``. Raises ValueError for a text that is none."""
    parse(limit)
    return limit


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt under one limit: ``key`` is whom it counts for, ``cost`` how much of the limit it uses.

    With ``proof`` a proof of work admits further attempts; without it they are refused.
    """

    limit: str
    name: str
    key: str
    cost: int = 1
    proof: bool = False


@dataclass(frozen=True, slots=True)
class Reservation:
    """Attempts that have been counted, and can be released together."""

    id: str
    attempts: tuple[Attempt, ...]

    def only(self, *names: str) -> "Reservation":
        """Return the part of the reservation under the limits ``names``, so that the rest stays counted."""
        return Reservation(self.id, tuple(each for each in self.attempts if each.name in names))


class RateLimits:
    """Moving-window rate limits, such as ``5/10 minutes``, each under a name and counted per key."""

    def __init__(self, redis: Redis | None = None, namespace: str = "") -> None:
        """Count in Redis, for all replicas, or in this process. The client is closed by its owner.

        ``namespace`` begins every key, such as ``intake:``, so that a user of Redis may be confined to the own keys.
        """
        self._counters: _Counters = _MemoryCounters() if redis is None else _RedisCounters(redis, namespace)

    async def reserve(self, *attempts: Attempt, level: int = 0) -> Reservation:
        """Count an attempt under all of its limits, or under none, before it is made.

        ``level`` is that of the caller's proof of work, 0 without one. Raises LimitExceededError, ProofNeededError or
        CountersUnavailableError.
        """
        reservation = Reservation(secrets.token_hex(8), attempts)
        await self._count(reservation.id, attempts, level)
        return reservation

    async def release(self, reservation: Reservation) -> None:
        """Take back an attempt that does not count. Raises CountersUnavailableError."""
        await self._counters.release(reservation.id, reservation.attempts)

    async def require_available(self, *attempts: Attempt, level: int = 0) -> None:
        """Raise the errors of :meth:`reserve` if the attempt would be refused. Counts nothing."""
        await self._count("", attempts, level)

    async def _count(self, reservation_id: str, attempts: Sequence[Attempt], level: int) -> None:
        refusal = await self._counters.reserve(reservation_id, attempts, level)
        if refusal is None:
            return
        if refusal.level:
            raise ProofNeededError(refusal.attempt, refusal.level)
        raise LimitExceededError(refusal.attempt, max(1, refusal.seconds))


@dataclass(frozen=True, slots=True)
class _Refusal:
    """The attempt whose limit is used up, with the seconds to wait or the level of the proof of work."""

    attempt: Attempt
    seconds: int = 0
    level: int = 0


class _Counters(Protocol):
    async def reserve(self, reservation_id: str, attempts: Sequence[Attempt], level: int) -> _Refusal | None:
        """Count the attempts, or only check them if the id is empty."""

    async def release(self, reservation_id: str, attempts: Sequence[Attempt]) -> None:
        """Remove the attempts."""


class _RedisCounters:
    """Counters for all replicas of a service."""

    def __init__(self, redis: Redis, namespace: str) -> None:
        self._namespace = namespace
        self._reserve = redis.register_script(_RESERVE)
        self._release = redis.register_script(_RELEASE)

    async def reserve(self, reservation_id: str, attempts: Sequence[Attempt], level: int) -> _Refusal | None:
        args: list[int | str] = [_now_ms(), reservation_id, level, MAX_LEVEL]
        for attempt in attempts:
            args += [*_limit(attempt), attempt.cost, int(attempt.proof)]
        place, seconds, needed = await within_time(self._reserve(keys=self._keys(attempts), args=args))
        return _Refusal(attempts[place - 1], int(seconds), int(needed)) if place else None

    async def release(self, reservation_id: str, attempts: Sequence[Attempt]) -> None:
        args: list[int | str] = [reservation_id, *(attempt.cost for attempt in attempts)]
        await within_time(self._release(keys=self._keys(attempts), args=args))

    def _keys(self, attempts: Sequence[Attempt]) -> list[str]:
        return [f"{self._namespace}{_key(each)}" for each in attempts]


class _MemoryCounters:
    """Counters of one process, for the embedded desk, for tests and for a console with one process."""

    def __init__(self) -> None:
        self._entries: dict[str, list[tuple[int, str]]] = {}
        self._swept_at = 0

    async def reserve(self, reservation_id: str, attempts: Sequence[Attempt], level: int) -> _Refusal | None:
        now = _now_ms()
        self._sweep(now)
        for attempt in attempts:
            if refusal := self._refusal(attempt, now, level):
                return refusal
        if reservation_id:
            for attempt in attempts:
                until = now + _limit(attempt)[1]
                self._entries.setdefault(_key(attempt), []).extend([(until, reservation_id)] * attempt.cost)
        return None

    def _refusal(self, attempt: Attempt, now: int, level: int) -> _Refusal | None:
        most, window = _limit(attempt)
        entries = [entry for entry in self._entries.get(_key(attempt), []) if entry[0] > now]
        over = len(entries) + attempt.cost - most
        if over <= 0:
            return None
        if attempt.proof:
            needed = min(over, MAX_LEVEL)
            return None if level >= needed else _Refusal(attempt, level=needed)
        free = entries[min(over, len(entries)) - 1][0] - now if entries else window
        return _Refusal(attempt, math.ceil(free / 1000))

    def _sweep(self, now: int) -> None:
        """Forget what has expired, once a minute, so that the memory does not grow with the number of keys."""
        if now - self._swept_at < _SWEEP_MS:
            return
        self._swept_at = now
        kept = {key: [each for each in entries if each[0] > now] for key, entries in self._entries.items()}
        self._entries = {key: entries for key, entries in kept.items() if entries}

    async def release(self, reservation_id: str, attempts: Sequence[Attempt]) -> None:
        for attempt in attempts:
            entries = self._entries.get(_key(attempt), [])
            self._entries[_key(attempt)] = [entry for entry in entries if entry[1] != reservation_id]


_SWEEP_MS = 60_000


def _limit(attempt: Attempt) -> tuple[int, int]:
    """Return how much is allowed in which window, in milliseconds."""
    item = parse(attempt.limit)
    return item.amount, item.get_expiry() * 1000


def _key(attempt: Attempt) -> str:
    return f"limit:{attempt.name}:{attempt.limit}:{attempt.key}"


def _now_ms() -> int:
    return int(time.time() * 1000)
