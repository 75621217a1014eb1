"""Notifier's background tasks. Any number of replicas may run them at the same time."""

from desk.notifier.workers.code_pruning import CodePruning
from desk.notifier.workers.delivery_reports import DeliveryReportTask
from desk.notifier.workers.dispatch import DispatchGroup, DispatchTask
from desk.notifier.workers.failures import FailureTask

__all__ = ["CodePruning", "DeliveryReportTask", "DispatchGroup", "DispatchTask", "FailureTask"]
