"""Challenges, counters and pools in Redis."""

from desk.captcha.store.calls import limit_time, pool_key
from desk.captcha.store.challenges import ChallengeStore, Limit
from desk.captcha.store.pool import PoolStore

__all__ = ["ChallengeStore", "Limit", "PoolStore", "limit_time", "pool_key"]
