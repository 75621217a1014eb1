"""The console's background tasks: send reports, consume events, prune the record of processed events."""

from desk.console.workers.events import consume_events
from desk.console.workers.pruning import prune_processed_events
from desk.console.workers.reports import ReportTask

__all__ = ["ReportTask", "consume_events", "prune_processed_events"]
