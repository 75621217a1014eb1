"""Tracking's use cases: open cases, apply reports and actions, act on deadlines, show, reconcile, erase, count."""

from desk.tracking.service.actions import ActionContent, Actions, Overview
from desk.tracking.service.contacts import Contacts, NewMobile
from desk.tracking.service.context import CaseContext, named_office, utc_now
from desk.tracking.service.deadlines import Deadlines
from desk.tracking.service.erasures import Erasures
from desk.tracking.service.failed_notices import FailedNotices
from desk.tracking.service.figure_documents import FigureDocuments
from desk.tracking.service.figures import CountedPeriod, Figures, Scope
from desk.tracking.service.headquarters import HeadquartersReports
from desk.tracking.service.office_cases import CaseSummary, OfficeCases
from desk.tracking.service.opening import Opening
from desk.tracking.service.own_requests import OwnRequest, OwnRequests
from desk.tracking.service.probes import Probes, on_request_probed
from desk.tracking.service.public_figures import PublicFigures
from desk.tracking.service.reconciliation import Difference, Kind, Reconciliation
from desk.tracking.service.reports import Reports

__all__ = [
    "ActionContent",
    "Actions",
    "CaseContext",
    "CaseSummary",
    "Contacts",
    "CountedPeriod",
    "Deadlines",
    "Difference",
    "Erasures",
    "FailedNotices",
    "FigureDocuments",
    "Figures",
    "HeadquartersReports",
    "Kind",
    "NewMobile",
    "OfficeCases",
    "Opening",
    "Overview",
    "OwnRequest",
    "OwnRequests",
    "Probes",
    "PublicFigures",
    "Reconciliation",
    "Reports",
    "Scope",
    "named_office",
    "on_request_probed",
    "utc_now",
]
