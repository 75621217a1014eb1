"""Tracking's background tasks. Any number of replicas may run them at the same time."""

from desk.tracking.workers.days_off import DaysOffTask
from desk.tracking.workers.deadlines import DeadlineTask
from desk.tracking.workers.erasures import ErasureTask
from desk.tracking.workers.figures import FiguresTask
from desk.tracking.workers.persons import PersonsTask
from desk.tracking.workers.probes import ProbeTask
from desk.tracking.workers.reconciliation import ReconciliationTask

__all__ = [
    "DaysOffTask",
    "DeadlineTask",
    "ErasureTask",
    "FiguresTask",
    "PersonsTask",
    "ProbeTask",
    "ReconciliationTask",
]
