"""Figures about erased cases, and which of them may be published: small counts could point at a person."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from desk.tracking.domain.case import Case
from desk.tracking.domain.history import HistoryEntry, find_first_answer
from desk.tracking.domain.months import Month
from desk.tracking.domain.states import State
from desk.tracking.domain.suppression import SMALLEST_SHOWN, suppress

UNKNOWN_SUBJECT = "unknown"
"""The subject of a case whose request could not be read."""
ALL = "all"
"""The sub-subject and state of the total of a group."""
_SECONDS_OF_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Figure:
    """A count of erased cases: of a Jalali month of submission (``1405-09``), a province, a subject and a final state.

    ``answer_days`` is the sum, over the ``answered`` ones, of the days from the submission to the first answer.
    """

    month: str
    province: str
    subject: str
    sub_subject: str
    state: State
    requests: int = 1
    answered: int = 0
    answer_days: int = 0


def figure_of(case: Case, history: Iterable[HistoryEntry], subject: str, sub_subject: str) -> Figure:
    """Return what a case adds to the figures."""
    answer = find_first_answer(history)
    days = int((answer.at - case.submitted_at).total_seconds() // _SECONDS_OF_DAY) if answer else 0
    return Figure(
        month=str(Month.of(case.submitted_at)),
        province=case.province,
        subject=subject,
        sub_subject=sub_subject,
        state=case.state,
        answered=1 if answer else 0,
        answer_days=max(0, days),
    )


def published(figures: Iterable[Figure]) -> list[tuple[str, ...]]:
    """Return the rows of the published table: month, province, subject, sub-subject, state, requests, average days.

    Counts under 5 are ``<5``. If such a count could be computed from the total of its month, province and subject,
    further counts are ``suppressed``. The average days to an answer are published for five answers or more.
    """
    ordered = sorted(figures, key=lambda it: (it.month, it.province, it.subject, it.sub_subject, it.state))
    rows: list[tuple[str, ...]] = []
    for key, group in groupby(ordered, key=lambda it: (it.month, it.province, it.subject)):
        cells = {(it.sub_subject, it.state.value): it for it in group}
        shown, total = suppress({cell: it.requests for cell, it in cells.items()})
        rows += [(*key, *cell, shown[cell], _average(it, shown[cell])) for cell, it in cells.items()]
        rows.append((*key, ALL, ALL, total, ""))
    return rows


def _average(figure: Figure, shown: str) -> str:
    if figure.answered < SMALLEST_SHOWN or not shown.isdigit():
        return ""
    return f"{figure.answer_days / figure.answered:.1f}"
