"""Figures about erased cases, and which of them may be published: small counts could point at a person."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby

from desk.iran.jalali import in_tehran
from desk.tracking.domain.case import Case
from desk.tracking.domain.history import HistoryEntry
from desk.tracking.domain.states import State

SMALLEST_SHOWN = 5
"""Smaller counts are not published."""
SMALL, SUPPRESSED = f"<{SMALLEST_SHOWN}", "suppressed"
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
    day = in_tehran(case.submitted_at)[0]
    answers = [entry.at for entry in history if entry.state is State.ANSWERED and entry.action is None]
    days = int((min(answers) - case.submitted_at).total_seconds() // _SECONDS_OF_DAY) if answers else 0
    return Figure(
        month=f"{day.year:04}-{day.month:02}",
        province=case.province,
        subject=subject,
        sub_subject=sub_subject,
        state=case.state,
        answered=1 if answers else 0,
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


Cell = tuple[str, str]


def suppress(counts: Mapping[Cell, int]) -> tuple[dict[Cell, str], str]:
    """Return the cells of a group and its total as they may be published."""
    total = sum(counts.values())
    hidden = {cell for cell, count in counts.items() if count < SMALLEST_SHOWN}
    larger = sorted(counts.keys() - hidden, key=lambda cell: (counts[cell], cell))
    total_shown = str(total) if total >= SMALLEST_SHOWN else SMALL
    while hidden and total_shown.isdigit() and _is_computable([counts[cell] for cell in hidden]):
        if larger:
            hidden.add(larger.pop(0))
        else:
            total_shown = SUPPRESSED
    return {cell: _shown(count, hidden=cell in hidden) for cell, count in counts.items()}, total_shown


def _shown(count: int, *, hidden: bool) -> str:
    if count < SMALLEST_SHOWN:
        return SMALL
    return SUPPRESSED if hidden else str(count)


def _is_computable(hidden: list[int]) -> bool:
    """Return whether the sum of the hidden counts, which the total reveals, leaves only one possibility.

    Each count under 5 is from 1 to 4, each suppressed one 5 or more.
    """
    small = [count for count in hidden if count < SMALLEST_SHOWN]
    large, least = len(hidden) - len(small), 1
    lowest = len(small) * least + large * SMALLEST_SHOWN
    if sum(hidden) == lowest or len(hidden) == 1:
        return True
    return large == 0 and sum(hidden) == len(small) * (SMALLEST_SHOWN - 1)
