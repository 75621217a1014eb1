"""Notifier's tables and their SQL: messages until they are handed over, and their delivery reports."""

from desk.notifier.store.claims import Claim, ClaimStore, LeaseExpiredError
from desk.notifier.store.delivery_reports import AwaitedReport, DeliveryReportStore
from desk.notifier.store.erasures import ErasureStore
from desk.notifier.store.failures import FailedNotice, FailureStore
from desk.notifier.store.messages import MessageStore, Notice
from desk.notifier.store.personal import PersonalData
from desk.notifier.store.redirects import RedirectStore
from desk.notifier.store.shown import ShownMessage, list_messages
from desk.notifier.store.tables import attempt, message, metadata, text_tables

__all__ = [
    "AwaitedReport",
    "Claim",
    "ClaimStore",
    "DeliveryReportStore",
    "ErasureStore",
    "FailedNotice",
    "FailureStore",
    "LeaseExpiredError",
    "MessageStore",
    "Notice",
    "PersonalData",
    "RedirectStore",
    "ShownMessage",
    "attempt",
    "list_messages",
    "message",
    "metadata",
    "text_tables",
]
