"""Tracking's store: cases with their history, erasures, and queries across all cases."""

from desk.tracking.store.cases import CaseStore, Handover
from desk.tracking.store.erasures import ErasureStore
from desk.tracking.store.figures import FigureStore
from desk.tracking.store.persons import PersonStore
from desk.tracking.store.probes import Probe, ProbeStore
from desk.tracking.store.reconciliation import KnownState, ReconciliationStore, Waiting
from desk.tracking.store.tables import case_table, metadata, refusal_table, step_table

__all__ = [
    "CaseStore",
    "ErasureStore",
    "FigureStore",
    "Handover",
    "KnownState",
    "PersonStore",
    "Probe",
    "ProbeStore",
    "ReconciliationStore",
    "Waiting",
    "case_table",
    "metadata",
    "refusal_table",
    "step_table",
]
