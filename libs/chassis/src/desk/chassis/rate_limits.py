"""Rate limits: moving-window counters per source, number or identity, in Redis or in the process.

An attempt is reserved before the act, so that attempts made at the same time, at several replicas, cannot exceed a
limit. An attempt that turns out not to count is released after the act.
"""

import ipaddress
import math
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Protocol

from limits import parse
from pydantic import AfterValidator
from redis.asyncio import Redis

from desk.chassis.problem import RateLimitExceededError
from desk.chassis.redis import connect, within_time

MAX_CONNECTIONS = 100
_IPV4_PREFIX, _IPV6_PREFIX = 32, 56

# All counters are checked before anything is counted: an attempt counts everywhere or nowhere.
_RESERVE = """
local now, id = tonumber(ARGV[1]), ARGV[2]
for which = 1, #KEYS do
  local most, window, cost = tonumber(ARGV[which * 3]), tonumber(ARGV[which * 3 + 1]), tonumber(ARGV[which * 3 + 2])
  redis.call('ZREMRANGEBYSCORE', KEYS[which], '-inf', now - window)
  local count = redis.call('ZCARD', KEYS[which])
  if count + cost > most then
    local place = math.min(math.max(count + cost - most - 1, 0), math.max(count - 1, 0))
    local entry = redis.call('ZRANGE', KEYS[which], place, place, 'WITHSCORES')
    local free = entry[2] and (tonumber(entry[2]) + window - now) or window
    return {which, math.ceil(free / 1000)}
  end
end
if ARGV[2] ~= '' then
  for which = 1, #KEYS do
    for part = 1, tonumber(ARGV[which * 3 + 2]) do redis.call('ZADD', KEYS[which], now, id .. ':' .. part) end
    redis.call('PEXPIRE', KEYS[which], ARGV[which * 3 + 1])
  end
end
return {0, 0}
"""

_RELEASE = """
for which = 1, #KEYS do
  for part = 1, tonumber(ARGV[which + 1]) do redis.call('ZREM', KEYS[which], ARGV[1] .. ':' .. part) end
end
"""


def _readable(limit: str) -> str:
    parse(limit)
    return limit


RateLimitText = Annotated[str, AfterValidator(_readable)]
"""A rate limit as a setting, such as ``5/10 minutes``. Text that cannot be parsed stops the service at its start."""


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


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt under one limit: ``key`` is whom it counts for, ``cost`` how much of the limit it uses."""

    limit: str
    name: str
    key: str
    cost: int = 1


@dataclass(frozen=True, slots=True)
class Reservation:
    """Attempts that have been counted, and can be released together."""

    id: str
    attempts: tuple[Attempt, ...]


class RateLimits:
    """Moving-window rate limits, such as ``5/10 minutes``, each under a name and counted per key."""

    def __init__(self, url: str) -> None:
        """``url`` is ``memory://`` or an address that :func:`desk.chassis.redis.connect` accepts."""
        self._redis = None if url.startswith("memory") else connect(url, MAX_CONNECTIONS)
        self._counters: _Counters = _MemoryCounters() if self._redis is None else _RedisCounters(self._redis)

    async def reserve(self, limit: str, name: str, key: str) -> Reservation:
        """Count one attempt of ``key`` before it is made.

        Raises RateLimitExceededError, with the seconds until the next attempt is allowed, and counts nothing then.
        Raises ServiceUnavailableError if Redis is unavailable.
        """
        return await self.reserve_all(Attempt(limit, name, key))

    async def reserve_all(self, *attempts: Attempt) -> Reservation:
        """Count an attempt under several limits: under all of them or none. Raises as :meth:`reserve` does."""
        reservation = Reservation(secrets.token_hex(8), attempts)
        await self._require(reservation.id, attempts)
        return reservation

    async def release(self, reservation: Reservation) -> None:
        """Take back an attempt that does not count. Raises ServiceUnavailableError."""
        await self._counters.release(reservation.id, reservation.attempts)

    async def require_available(self, limit: str, name: str, key: str) -> None:
        """Raise RateLimitExceededError if ``key`` has used up its limit. Counts nothing."""
        await self._require("", (Attempt(limit, name, key),))

    async def close(self) -> None:
        """Close the connections to Redis."""
        if self._redis is not None:
            await self._redis.connection_pool.disconnect()

    async def _require(self, reservation_id: str, attempts: Sequence[Attempt]) -> None:
        exceeded, seconds = await self._counters.reserve(reservation_id, attempts)
        if exceeded is not None:
            raise RateLimitExceededError(f"{exceeded.name} {exceeded.limit}", retry_after=max(1, seconds))


class _Counters(Protocol):
    async def reserve(self, reservation_id: str, attempts: Sequence[Attempt]) -> tuple[Attempt | None, int]:
        """Count the attempts, only check them if the id is empty; return the exceeded one and the seconds to wait."""

    async def release(self, reservation_id: str, attempts: Sequence[Attempt]) -> None:
        """Remove the attempts."""


class _RedisCounters:
    """Counters for all replicas of a service."""

    def __init__(self, redis: Redis) -> None:
        self._reserve = redis.register_script(_RESERVE)
        self._release = redis.register_script(_RELEASE)

    async def reserve(self, reservation_id: str, attempts: Sequence[Attempt]) -> tuple[Attempt | None, int]:
        args: list[int | str] = [_now_ms(), reservation_id]
        for attempt in attempts:
            args += [*_limit(attempt), attempt.cost]
        place, seconds = await within_time(self._reserve(keys=list(map(_key, attempts)), args=args))
        return (attempts[place - 1] if place else None), int(seconds)

    async def release(self, reservation_id: str, attempts: Sequence[Attempt]) -> None:
        args: list[int | str] = [reservation_id, *(attempt.cost for attempt in attempts)]
        await within_time(self._release(keys=list(map(_key, attempts)), args=args))


class _MemoryCounters:
    """Counters of one process, for the embedded desk and for tests."""

    def __init__(self) -> None:
        self._entries: dict[str, list[tuple[int, str]]] = {}

    async def reserve(self, reservation_id: str, attempts: Sequence[Attempt]) -> tuple[Attempt | None, int]:
        now = _now_ms()
        for attempt in attempts:
            most, window = _limit(attempt)
            entries = [entry for entry in self._entries.get(_key(attempt), []) if entry[0] > now - window]
            self._entries[_key(attempt)] = entries
            if len(entries) + attempt.cost > most:
                place = min(max(len(entries) + attempt.cost - most - 1, 0), max(len(entries) - 1, 0))
                free = entries[place][0] + window - now if entries else window
                return attempt, math.ceil(free / 1000)
        if reservation_id:
            for attempt in attempts:
                self._entries[_key(attempt)] += [(now, reservation_id)] * attempt.cost
        return None, 0

    async def release(self, reservation_id: str, attempts: Sequence[Attempt]) -> None:
        for attempt in attempts:
            entries = self._entries.get(_key(attempt), [])
            self._entries[_key(attempt)] = [entry for entry in entries if entry[1] != reservation_id]


def _limit(attempt: Attempt) -> tuple[int, int]:
    """Return how much is allowed in which window, in milliseconds."""
    item = parse(attempt.limit)
    return item.amount, item.get_expiry() * 1000


def _key(attempt: Attempt) -> str:
    return f"limit:{attempt.name}:{attempt.limit}:{attempt.key}"


def _now_ms() -> int:
    return int(time.time() * 1000)
