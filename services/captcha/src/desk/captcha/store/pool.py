"""The pools in Redis: a bounded list of finished challenges of each kind, which all replicas share."""

from collections.abc import Sequence

from redis.asyncio import Redis

from desk.captcha.domain import Kind
from desk.captcha.store.calls import limit_time, pool_key

LIFE_SECONDS = 3600
"""How long a pool exists after the last replica that fills it has stopped."""

# Several replicas may push at the same time without exceeding the size: what does not fit is discarded.
_PUSH = """
local room = tonumber(ARGV[1]) - redis.call('LLEN', KEYS[1])
for number = 3, math.min(#ARGV, room + 2) do redis.call('RPUSH', KEYS[1], ARGV[number]) end
redis.call('EXPIRE', KEYS[1], ARGV[2])
return redis.call('LLEN', KEYS[1])
"""


class PoolStore:
    """Fills pools. Challenges are taken from them by ``ChallengeStore.issue``."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._push = redis.register_script(_PUSH)

    async def count(self, kind: Kind) -> int:
        """Return the number of challenges in a pool, and extend its life. Raises CaptchaUnavailableError."""
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.llen(pool_key(kind))
        pipeline.expire(pool_key(kind), LIFE_SECONDS)
        count, _ = await limit_time(pipeline.execute())
        return int(count)

    async def add(self, kind: Kind, size: int, challenges: Sequence[bytes]) -> int:
        """Add challenges up to the pool's size; return their number. Raises CaptchaUnavailableError."""
        arguments: list[bytes | int] = [size, LIFE_SECONDS, *challenges]
        return int(await limit_time(self._push(keys=[pool_key(kind)], args=arguments)))
