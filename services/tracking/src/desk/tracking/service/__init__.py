"""Tracking's use cases: open a case, record what provinces report and applicants do, show where it stands."""

from desk.tracking.service.alarms import Alarms
from desk.tracking.service.moves import Moves, Overview, Words
from desk.tracking.service.office import HEADQUARTERS, Office
from desk.tracking.service.opening import Opening
from desk.tracking.service.reports import Reports

__all__ = ["HEADQUARTERS", "Alarms", "Moves", "Office", "Opening", "Overview", "Reports", "Words"]
