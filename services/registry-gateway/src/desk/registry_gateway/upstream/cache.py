"""The cache in Redis: the use of the daily quota, and encrypted matches of the last minutes."""

import json
from datetime import datetime

from redis.asyncio import Redis

from desk.chassis.crypto import DecryptionError, Vault
from desk.chassis.redis import within_time
from desk.iran.jalali import JalaliDate
from desk.iran.national_id import NationalId
from desk.registry_gateway.domain import Identity, Matched
from desk.registry_gateway.upstream.hours import day_of

_QUOTA_LIFE_SECONDS = 2 * 24 * 3600
_SEAL_CONTEXT = "registry match"
_USED_UP = 10**9

# One round trip. A quota that is used up is reported first, so that the answer does not depend on the number. Then the
# cache is read. Only a call that is really made counts in the quota.
_FIND_OR_COUNT = """
local used = tonumber(redis.call('GET', KEYS[1]) or '0')
local most = tonumber(ARGV[1])
if used >= 1000000000 or (most > 0 and used >= most) then return {'used up', false} end
if ARGV[3] == '1' then
  local cached = redis.call('GET', KEYS[2])
  if cached then return {'cached', cached} end
end
redis.call('INCR', KEYS[1])
redis.call('EXPIRE', KEYS[1], ARGV[2])
return {'counted', false}
"""


class QuotaUsedUpError(Exception):
    """The daily quota is used up."""


class LookupCache:
    """Counts the calls of each day, and stores matches for some minutes."""

    def __init__(self, redis: Redis, vault: Vault, daily_quota: int | None, seconds: int) -> None:
        """``daily_quota`` is None if the registry sets none. Matches are stored for ``seconds``; 0 means not at all."""
        self._redis = redis
        self._vault = vault
        self._quota = daily_quota or 0
        self._seconds = seconds
        self._find_or_count = redis.register_script(_FIND_OR_COUNT)

    async def find_or_count(self, key: str, now: datetime, *, use_cache: bool) -> Matched | None:
        """Return the cached match of a key, or count a call and return None.

        Raises QuotaUsedUpError or ServiceUnavailableError.
        """
        keys = [_quota_key(day_of(now)), _match_key(key)]
        args = [self._quota, _QUOTA_LIFE_SECONDS, int(use_cache and self._seconds > 0)]
        status, sealed = await within_time(self._find_or_count(keys=keys, args=args))
        if _text(status) == "used up":
            raise QuotaUsedUpError
        if not sealed:
            return None
        try:
            return _decode(self._vault.open(sealed, f"{_SEAL_CONTEXT}:{key}"))
        except DecryptionError:  # sealed with a key that has been removed
            return await self.find_or_count(key, now, use_cache=False)

    async def mark_quota_used_up(self, now: datetime) -> None:
        """Stop all calls until tomorrow: the registry reported the end of the quota before our count reached it."""
        await within_time(self._redis.set(_quota_key(day_of(now)), _USED_UP, ex=_QUOTA_LIFE_SECONDS))

    async def store(self, key: str, match: Matched) -> None:
        """Store a match, encrypted."""
        if self._seconds > 0:
            sealed = self._vault.seal(_encode(match.identity), f"{_SEAL_CONTEXT}:{key}")
            await within_time(self._redis.set(_match_key(key), sealed, ex=self._seconds))


def _encode(person: Identity) -> bytes:
    number, birth_date = person.national_id.value, person.birth_date.compact()
    return json.dumps([number, birth_date, person.first_name, person.last_name, person.gender]).encode()


def _decode(plain: bytes) -> Matched:
    number, birth_date, first_name, last_name, gender = json.loads(plain)
    return Matched(Identity(NationalId(number), JalaliDate.from_compact(birth_date), first_name, last_name, gender))


def _quota_key(day: str) -> str:
    return f"registry:quota:{day}"


def _match_key(key: str) -> str:
    return f"registry:match:{key}"


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value
