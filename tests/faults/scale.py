"""How large the experiments are: with FULL=1 as in FAULTS.md, otherwise a twentieth of that."""

import math
import os

FULL = os.environ.get("FULL") == "1"
PART = 1 if FULL else 20
TEST_SECONDS = 3600 if FULL else 300
SETTLE_SECONDS = 60.0
"""After a repair, everything must have arrived within this time."""


def scaled(as_written: int, *, at_least: int = 1) -> int:
    """Return a count or a number of seconds for this run."""
    return max(at_least, math.ceil(as_written / PART))


def notice_deadline(requests: int) -> float:
    """Return a deadline in seconds for the notices of so many simultaneous requests."""
    return SETTLE_SECONDS + requests / 8
