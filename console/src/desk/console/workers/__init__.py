"""The console's background tasks: chain the audit log, send reports, consume events, index cases, prune old rows."""

from desk.console.workers.auditing import chain_audit_entries
from desk.console.workers.events import consume_events
from desk.console.workers.indexing import index_outdated_cases
from desk.console.workers.pruning import prune_old_rows
from desk.console.workers.reports import ReportTask

__all__ = ["ReportTask", "chain_audit_entries", "consume_events", "index_outdated_cases", "prune_old_rows"]
