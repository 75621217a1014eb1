"""Notifier's use cases: queue the notices of an event and codes, send due messages, follow their delivery, erase."""

from desk.notifier.service.codes import Codes
from desk.notifier.service.delivery_reports import DeliveryReports
from desk.notifier.service.dispatch import Dispatcher
from desk.notifier.service.erasures import Erasures
from desk.notifier.service.failures import Failures
from desk.notifier.service.notices import Notices

__all__ = ["Codes", "DeliveryReports", "Dispatcher", "Erasures", "Failures", "Notices"]
