"""What the line keeps in Redis: the day's quota, and matches of the last minutes, sealed."""

import json
from datetime import datetime

from redis.asyncio import Redis

from desk.chassis.crypto import DecryptionError, Vault
from desk.chassis.redis import within_time
from desk.iran.jalali import JalaliDate
from desk.iran.national_id import NationalId
from desk.registry_gateway.domain import Identity, Matched
from desk.registry_gateway.line.hours import day_of

_QUOTA_LIFE_SECONDS = 2 * 24 * 3600
_PLACE = "registry match"
_USED_UP = 10**9

# One round trip: a quota that is used up is said first, whoever is asked about; then what is known; and only who has to
# ask takes one of the day's look-ups.
_PREPARE = """
local used = tonumber(redis.call('GET', KEYS[1]) or '0')
local most = tonumber(ARGV[1])
if used >= 1000000000 or (most > 0 and used >= most) then return {'used up', false} end
if ARGV[3] == '1' then
  local known = redis.call('GET', KEYS[2])
  if known then return {'known', known} end
end
redis.call('INCR', KEYS[1])
redis.call('EXPIRE', KEYS[1], ARGV[2])
return {'ask', false}
"""


class QuotaUsedUpError(Exception):
    """The day's look-ups are all made."""


class Notes:
    """Quota and matches."""

    def __init__(self, redis: Redis, vault: Vault, daily_quota: int | None, memory_seconds: int) -> None:
        """``daily_quota`` is None where the registry sets none; what is known is kept for ``memory_seconds``."""
        self._redis = redis
        self._vault = vault
        self._quota = daily_quota or 0
        self._memory_seconds = memory_seconds
        self._prepare = redis.register_script(_PREPARE)

    async def known_or_ask(self, key: str, now: datetime, *, trusting: bool) -> Matched | None:
        """Return what is known of the pair with this key; None when the registry is to be asked, which is then counted.

        ``trusting``: whether what is known may be used. Raises QuotaUsedUpError or ServiceUnavailableError.
        """
        keys = [_quota_key(day_of(now)), _match_key(key)]
        args = [self._quota, _QUOTA_LIFE_SECONDS, int(trusting and self._memory_seconds > 0)]
        outcome, known = await within_time(self._prepare(keys=keys, args=args))
        if _text(outcome) == "used up":
            raise QuotaUsedUpError
        if not known:
            return None
        try:
            return _unpacked(self._vault.open(known, f"{_PLACE}:{key}"))
        except DecryptionError:  # sealed under a key that is no longer there
            return await self.known_or_ask(key, now, trusting=False)

    async def end_quota(self, now: datetime) -> None:
        """Note that the registry has said so before our own count did."""
        await within_time(self._redis.set(_quota_key(day_of(now)), _USED_UP, ex=_QUOTA_LIFE_SECONDS))

    async def remember(self, key: str, match: Matched) -> None:
        """Keep a match for a while."""
        if self._memory_seconds > 0:
            sealed = self._vault.seal(_packed(match.identity), f"{_PLACE}:{key}")
            await within_time(self._redis.set(_match_key(key), sealed, ex=self._memory_seconds))

    async def close(self) -> None:
        """Return the connections back."""
        await self._redis.aclose()


def _packed(person: Identity) -> bytes:
    number, birth_date = person.national_id.value, person.birth_date.compact()
    return json.dumps([number, birth_date, person.first_name, person.last_name, person.gender]).encode()


def _unpacked(plain: bytes) -> Matched:
    number, birth_date, first_name, last_name, gender = json.loads(plain)
    return Matched(Identity(NationalId(number), JalaliDate.from_compact(birth_date), first_name, last_name, gender))


def _quota_key(day: str) -> str:
    return f"registry:quota:{day}"


def _match_key(key: str) -> str:
    return f"registry:match:{key}"


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value
