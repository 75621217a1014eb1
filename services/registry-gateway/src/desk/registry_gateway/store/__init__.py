"""The ledger's rows in the database, and the counters of look-ups in Redis."""

from desk.registry_gateway.store.counters import (
    HOLD_MS,
    Attempt,
    Limit,
    LookupCounters,
    LookupLimits,
    Reservation,
    Status,
)
from desk.registry_gateway.store.lookups import APPEND_IF_CURRENT, Head, LookupStore, Row, Seen, row_values
from desk.registry_gateway.store.tables import ledger_head, lookup, metadata

__all__ = [
    "APPEND_IF_CURRENT",
    "HOLD_MS",
    "Attempt",
    "Head",
    "Limit",
    "LookupCounters",
    "LookupLimits",
    "LookupStore",
    "Reservation",
    "Row",
    "Seen",
    "Status",
    "ledger_head",
    "lookup",
    "metadata",
    "row_values",
]
