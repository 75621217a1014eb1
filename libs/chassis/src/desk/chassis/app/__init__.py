"""What every service's app has: problem details, request ids, access log, metrics, health, supervised workers.

What only services with a database need is in its own modules: ``dependencies`` and ``database_errors``.
"""

from desk.chassis.app.background import FINISH_SECONDS, Background, Closers, Worker
from desk.chassis.app.base import base_app, source_of
from desk.chassis.app.idempotency import IdempotencyKey
from desk.chassis.app.periodic import HousekeepingTask, PeriodicTask
from desk.chassis.app.rendering import FieldRuleError, Problem, problems

__all__ = [
    "FINISH_SECONDS",
    "Background",
    "Closers",
    "FieldRuleError",
    "HousekeepingTask",
    "IdempotencyKey",
    "PeriodicTask",
    "Problem",
    "Worker",
    "base_app",
    "problems",
    "source_of",
]
