"""The ledger's rows in the database, and the numbers of each source in Redis."""

from desk.registry_gateway.store.fan_out import FanOut
from desk.registry_gateway.store.lookups import APPEND_IF_CURRENT, LookupStore, Row, Seen, read_head, row_values
from desk.registry_gateway.store.tables import ledger_head, lookup, metadata

__all__ = [
    "APPEND_IF_CURRENT",
    "FanOut",
    "LookupStore",
    "Row",
    "Seen",
    "ledger_head",
    "lookup",
    "metadata",
    "read_head",
    "row_values",
]
