"""Counts in Redis for how many different numbers a source has asked, which raises an alarm and refuses nothing."""

from limits import parse
from redis.asyncio import Redis

from desk.chassis.redis import within_time

# A HyperLogLog stores no number. The alarm is raised once in each period.
_COUNT = """
redis.call('PFADD', KEYS[1], ARGV[1])
if redis.call('TTL', KEYS[1]) < 0 then redis.call('EXPIRE', KEYS[1], ARGV[3]) end
if redis.call('PFCOUNT', KEYS[1]) >= tonumber(ARGV[2]) and redis.call('SET', KEYS[2], '1', 'NX', 'EX', ARGV[3]) then
  return 1
end
return 0
"""


class FanOut:
    """The different numbers of each source within a period."""

    def __init__(self, redis: Redis, limit: str) -> None:
        """``limit`` is a text such as ``50/hour``."""
        item = parse(limit)
        self.most = item.amount
        self._seconds = item.get_expiry()
        self._count = redis.register_script(_COUNT)

    async def add(self, number_index: str, source_index: str) -> bool:
        """Count a number of a source; return whether it has just reached the limit.

        Raises ServiceUnavailableError if Redis is unavailable.
        """
        keys = (f"registry:numbers:{source_index}", f"registry:fan-out:{source_index}")
        return bool(await within_time(self._count(keys=keys, args=[number_index, self.most, self._seconds])))
