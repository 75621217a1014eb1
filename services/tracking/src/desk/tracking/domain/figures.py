"""Figures of offices: how many requests there were, what became of them, and how fast they were answered."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Literal, TypeAlias

from desk.chassis.problem import DomainError
from desk.tracking.domain.suppression import SMALLEST_SHOWN, Cell, suppress
from desk.tracking.domain.tallies import MonthCounts, OfficeMonth, Tally, sum_of

Shown: TypeAlias = int | Literal["<5", "suppressed"]
"""A count as it may be shown: see :func:`desk.tracking.domain.suppression.suppress`."""
MEDIAN, NINETIETH = 50, 90
"""Percentiles."""
_PARTS = ("open", "overdue", "answered", "objections", "ratings")
"""The counts of requests that are also in ``requests``."""
_SHOWN = ("requests", *_PARTS)


class OfficeNotPermittedError(DomainError):
    """An office of a province asks for the figures of another office."""

    status, code, field = 403, "office_not_permitted", "office"
    title = "ادارهٔ استان تنها ارقام خود را می‌گیرد. پارامتر office را حذف کنید یا کلید ادارهٔ خود را در آن بنویسید."


class FiguresNotPublishedError(DomainError):
    """The organization publishes no figures."""

    status, code = 404, "figures_not_published"
    title = "سازمان اکنون آماری از میز خدمت منتشر نمی‌کند."


class Published(StrEnum):
    """What is published: nothing, the totals of months, or also the totals of offices."""

    NONE = "none"
    TOTALS = "totals"
    OFFICES = "offices"


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Counts as they may be shown. Days are working days from the submission to the first answer.

    ``median_days`` and ``p90_days`` are the days within which half, and nine of ten, of the answered were answered.
    """

    requests: Shown
    open: Shown
    overdue: Shown
    answered: Shown
    median_days: int | None
    p90_days: int | None
    objections: Shown
    ratings: Shown
    rating_mean: float | None


@dataclass(frozen=True, slots=True)
class MonthFigures:
    """The figures of an office in a month: in total, and by subject and sub-subject. ``tally`` is not to be shown."""

    of: OfficeMonth
    total: Counts
    cells: Mapping[Cell, Counts]
    tally: Tally


@dataclass(frozen=True, slots=True)
class TotalFigures:
    """The sum of what is shown of several months or offices. ``key`` is an office or a month.

    ``incomplete`` names the counts of which a part is not shown and therefore not in the sum.
    """

    key: str
    counts: Counts
    incomplete: tuple[str, ...]


def figures_of(counts: MonthCounts) -> MonthFigures:
    """Return the figures of an office in a month, with small counts suppressed.

    They depend on nothing else, and totals are sums of them. So no count follows from other responses, about other
    periods or offices.
    """
    tally_of = counts.tallies()
    total, (cells, totals) = sum_of(tally_of.values()), _suppressed(tally_of)
    shown = {cell: _counts(tally, {name: cells[name][cell] for name in _SHOWN}) for cell, tally in tally_of.items()}
    return MonthFigures(counts.of, _counts(total, totals), shown, total)


def _suppressed(tally_of: Mapping[Cell, Tally]) -> tuple[dict[str, dict[Cell, str]], dict[str, str]]:
    """Return the counts as they may be shown: by the name of the count, of each cell and in total."""
    requests, total = suppress({cell: tally.requests for cell, tally in tally_of.items()})
    cells, totals = {"requests": requests}, {"requests": total}
    for name in _PARTS:
        counts: dict[Cell, int] = {cell: getattr(tally, name) for cell, tally in tally_of.items()}
        cells[name], totals[name] = suppress(counts, requests, total)
    return cells, totals


def _counts(tally: Tally, shown: Mapping[str, str]) -> Counts:
    return _measured(tally, {name: int(text) if text.isdigit() else text for name, text in shown.items()})


def _measured(tally: Tally, counts: Mapping[str, Any]) -> Counts:
    """Return counts with percentiles and mean, if enough answers and ratings are shown that none points at a person."""
    days = tally.days if _is_shown(counts["answered"]) else {}
    return Counts(
        **counts,
        median_days=percentile(days, MEDIAN),
        p90_days=percentile(days, NINETIETH),
        rating_mean=round(tally.rating_sum / tally.ratings, 2) if _is_shown(counts["ratings"]) else None,
    )


def _is_shown(count: Shown) -> bool:
    return isinstance(count, int) and count >= SMALLEST_SHOWN


def percentile(days: Mapping[int, int], percent: int) -> int | None:
    """Return the smallest number of days within which so many percent were answered; None for fewer than five."""
    left = total = sum(days.values())
    if total < SMALLEST_SHOWN:
        return None
    for number in sorted(days, reverse=True):
        left -= days[number]
        if left * 100 < total * percent:
            return number
    return None


def totals_by(figures: Iterable[MonthFigures], key_of: Callable[[OfficeMonth], str]) -> list[TotalFigures]:
    """Return the sums of months or offices, in the order of their keys."""
    grouped: dict[str, list[MonthFigures]] = {}
    for each in figures:
        grouped.setdefault(key_of(each.of), []).append(each)
    return [_total(key, grouped[key]) for key in sorted(grouped)]


def _total(key: str, parts: Sequence[MonthFigures]) -> TotalFigures:
    counts: dict[str, Shown] = {}
    incomplete: list[str] = []
    for name in _SHOWN:
        values = [getattr(part.total, name) for part in parts]
        counts[name] = sum(value for value in values if isinstance(value, int))
        if any(isinstance(value, str) for value in values):
            incomplete.append(name)
            counts[name] = counts[name] or "suppressed"
    answered = sum_of(part.tally for part in parts if _is_shown(part.total.answered))
    rated = sum_of(part.tally for part in parts if _is_shown(part.total.ratings))
    return TotalFigures(key, _measured(replace(rated, days=answered.days), counts), tuple(incomplete))
