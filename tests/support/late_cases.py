"""Makes the answers of cases late on an embedded desk that looks for late answers every second."""

import sqlite3
from contextlib import closing

from support.applicant import Applicant
from support.embedded_desk import RunningDesk, wait_for

DEADLINES_EVERY_SECOND = """
from desk.tracking.workers import deadlines
deadlines.PAUSE_SECONDS = 1.0
"""
"""For the desk's ``prelude``."""


def escalate(desk: RunningDesk, applicant: Applicant, code: str) -> None:
    """Let both periods of a received case pass, so that headquarters is notified."""
    applicant.sees(code, "received")
    for period in (1, 2):
        wait_for(lambda period=period: _passed(desk, code, period), pause=0.5)


def _passed(desk: RunningDesk, code: str, period: int) -> bool:
    """Move the next deadline into the past until so many periods have passed; return whether they have.

    A report that is handled meanwhile restores the deadline, so this is called again.
    """
    with closing(sqlite3.connect(desk.folder / "tracking.sqlite3", timeout=20)) as store, store:
        late = "UPDATE \"case\" SET alarm_at = '2026-01-01 00:00:00.000000' WHERE tracking_code = ? AND overdue < ?"
        return store.execute(late, [code, period]).rowcount == 0
