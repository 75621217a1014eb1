"""What every service's app has: problem details, request ids, access log, metrics, health, supervised workers."""

from desk.chassis.app.background import FINISH_SECONDS, Background, Closers, Worker
from desk.chassis.app.base import base_app, source_of
from desk.chassis.app.dependencies import HasDatabase, IdempotencyKey, Session
from desk.chassis.app.periodic import PeriodicTask
from desk.chassis.app.rendering import FieldRuleError, Problem, problems

__all__ = [
    "FINISH_SECONDS",
    "Background",
    "Closers",
    "FieldRuleError",
    "HasDatabase",
    "IdempotencyKey",
    "PeriodicTask",
    "Problem",
    "Session",
    "Worker",
    "base_app",
    "problems",
    "source_of",
]
