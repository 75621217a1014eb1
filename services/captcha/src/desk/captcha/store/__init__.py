"""Challenges and pools in Redis."""

from desk.captcha.store.calls import limit_time, pool_key
from desk.captcha.store.challenges import ChallengeStore
from desk.captcha.store.pool import PoolStore

__all__ = ["ChallengeStore", "PoolStore", "limit_time", "pool_key"]
