"""The background task of the captcha service. Any number of replicas may run it at the same time."""

from desk.captcha.workers.pool import PoolTask

__all__ = ["PoolTask"]
