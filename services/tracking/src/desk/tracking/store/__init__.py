"""What tracking keeps: cases with their history, and what is read across them."""

from desk.tracking.store.cases import CaseStore, Handover
from desk.tracking.store.history import Step, past_of
from desk.tracking.store.tables import case_table, metadata, refusal_table, step_table
from desk.tracking.store.watching import Standing, Waiting, WatchStore

__all__ = [
    "CaseStore",
    "Handover",
    "Standing",
    "Step",
    "Waiting",
    "WatchStore",
    "case_table",
    "metadata",
    "past_of",
    "refusal_table",
    "step_table",
]
