"""The messages and their tables: queueing and handing over, what became of them, and a look at them."""

from desk.notifier.store.messages import Claim, ClaimLapsedError, MessageStore, Notice
from desk.notifier.store.reports import Awaited, ReportStore
from desk.notifier.store.sealed import Personal
from desk.notifier.store.shown import ShownMessage, messages_shown
from desk.notifier.store.tables import metadata

__all__ = [
    "Awaited",
    "Claim",
    "ClaimLapsedError",
    "MessageStore",
    "Notice",
    "Personal",
    "ReportStore",
    "ShownMessage",
    "messages_shown",
    "metadata",
]
