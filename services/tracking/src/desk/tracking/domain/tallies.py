"""Counts of requests before suppression, and what each case adds to them."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

from desk.iran.workdays import WorkCalendar
from desk.tracking.domain.case import Case, day_of
from desk.tracking.domain.history import HistoryEntry, find_first_answer
from desk.tracking.domain.months import Month
from desk.tracking.domain.request import Request
from desk.tracking.domain.states import Action
from desk.tracking.domain.statistics import UNKNOWN_SUBJECT
from desk.tracking.domain.suppression import Cell

LINE, FIELD = "\n", "\t"
"""What separates the cells in a text of counts, and the parts of each."""


@dataclass(frozen=True, slots=True, order=True)
class OfficeMonth:
    """An office, and the month (``1405-09``) in which requests were submitted that it has."""

    month: str
    office: str


@dataclass(slots=True)
class Tally:
    """Counts of requests. ``days`` has how many were first answered after so many working days."""

    requests: int = 0
    open: int = 0
    overdue: int = 0
    answered: int = 0
    objections: int = 0
    ratings: int = 0
    rating_sum: int = 0
    days: dict[int, int] = field(default_factory=dict)

    def add(self, other: "Tally") -> None:
        """Add the counts of other requests."""
        self.requests += other.requests
        self.open += other.open
        self.overdue += other.overdue
        self.answered += other.answered
        self.objections += other.objections
        self.ratings += other.ratings
        self.rating_sum += other.rating_sum
        for days, count in other.days.items():
            self.days[days] = self.days.get(days, 0) + count


def sum_of(tallies: Iterable[Tally]) -> Tally:
    """Return the sum of several counts."""
    total = Tally()
    for tally in tallies:
        total.add(tally)
    return total


@dataclass(frozen=True, slots=True)
class MonthCounts:
    """The counts of an office in a month as texts: of the roll-up, and of the cases that are not in it.

    Each line is of one subject and sub-subject: both, the counts in the order of :class:`Tally`, and the days as
    ``3:12,4``, twelve after three days and one after four. Equal texts have equal counts.
    """

    of: OfficeMonth
    rolled_up: str = ""
    others: str = ""

    def tallies(self) -> dict[Cell, Tally]:
        """Return the counts by subject and sub-subject, in their order."""
        found = read_cells(self.rolled_up)
        for cell, tally in read_cells(self.others).items():
            found.setdefault(cell, Tally()).add(tally)
        return dict(sorted(found.items()))


def read_cells(text: str) -> dict[Cell, Tally]:
    """Read a text of counts."""
    cells: dict[Cell, Tally] = {}
    for line in text.split(LINE) if text else ():
        subject, sub_subject, *counts, days = line.split(FIELD)
        requests, is_open, overdue, answered, objections, ratings, rating_sum = map(int, counts)
        tally = Tally(requests, is_open, overdue, answered, objections, ratings, rating_sum)
        cells[subject, sub_subject] = tally
        for part, times in Counter(days.split(",")).items() if days else ():
            number, _, count = part.partition(":")
            tally.days[int(number)] = tally.days.get(int(number), 0) + int(count or 1) * times
    return cells


def write_cells(cells: Mapping[Cell, Tally]) -> str:
    """Write a text of counts, as :func:`read_cells` reads it."""
    return LINE.join(FIELD.join((*cell, *_fields(tally))) for cell, tally in sorted(cells.items()))


def _fields(tally: Tally) -> tuple[str, ...]:
    counts = (tally.requests, tally.open, tally.overdue, tally.answered, tally.objections, tally.ratings)
    days = ",".join(f"{number}:{count}" for number, count in sorted(tally.days.items()))
    return (*map(str, counts), str(tally.rating_sum), days)


@dataclass(frozen=True, slots=True)
class Facts:
    """What a case adds to the figures."""

    of: OfficeMonth
    cell: Cell
    first_answer_days: int | None
    objections: int
    ratings: int
    rating_sum: int

    @classmethod
    def recorded(cls, case: Case, subject: str, sub_subject: str) -> Self:
        """Return what a case has recorded."""
        of = OfficeMonth(str(Month.of(case.submitted_at)), case.province)
        cell = (subject, sub_subject)
        return cls(of, cell, case.first_answer_days, case.objections, case.ratings, case.rating_sum)

    @classmethod
    def read(cls, case: Case, request: Request | None, history: Sequence[HistoryEntry], calendar: WorkCalendar) -> Self:
        """Return the facts of a case that has not recorded them. ``request`` is None if it cannot be read."""
        cell = (request.subject.key, request.sub_subject.key) if request else (UNKNOWN_SUBJECT, UNKNOWN_SUBJECT)
        answer = find_first_answer(history)
        days = calendar.count(day_of(case.submitted_at), day_of(answer.at)) if answer is not None else None
        ratings = [entry.rating for entry in history if entry.rating is not None]
        objections = Counter(entry.action for entry in history)[Action.OBJECT]
        of = OfficeMonth(str(Month.of(case.submitted_at)), case.province)
        return cls(of, cell, days, objections, len(ratings), sum(ratings))

    def tally(self) -> Tally:
        """Return the case as a count of one settled request."""
        days = self.first_answer_days
        return Tally(
            requests=1,
            answered=0 if days is None else 1,
            objections=self.objections,
            ratings=self.ratings,
            rating_sum=self.rating_sum,
            days={} if days is None else {days: 1},
        )
