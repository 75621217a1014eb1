"""Which counts may be shown: small ones could point at a person, also if they follow from others by a subtraction."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from math import inf

SMALLEST_SHOWN = 5
"""Smaller counts are not shown, except 0."""
SMALL, SUPPRESSED = f"<{SMALLEST_SHOWN}", "suppressed"


Cell = tuple[str, str]
"""What a count in a group is of, such as a subject and a sub-subject."""


@dataclass(frozen=True, slots=True)
class _Hidden:
    """A count that is not shown, and the range in which a reader knows it to be."""

    count: int
    least: int
    most: float


def suppress(
    counts: Mapping[Cell, int], within: Mapping[Cell, str] | None = None, total_within: str | None = None
) -> tuple[dict[Cell, str], str]:
    """Return the counts of a group and their total as they may be shown.

    A count from 1 to 4 is ``<5``. If one could be computed from the total, further counts are ``suppressed``, each of
    them 5 or more, and at last the total. ``within`` has counts as they are shown that these are parts of, and
    ``total_within`` their total: a part of what is not shown is not shown either.
    """
    most = {cell: _most(text) for cell, text in within.items()} if within is not None else {}
    hidden = {cell for cell, count in counts.items() if _is_hidden(count, most.get(cell, inf))}
    total = sum(counts.values())
    total_shown = _text(total, hidden=_is_hidden(total, _most(total_within)))
    if hidden and total_shown.isdigit():
        larger = sorted(
            (cell for cell, count in counts.items() if count and cell not in hidden), key=lambda it: (counts[it], it)
        )
        while _is_computable([_range(counts[cell], most.get(cell, inf)) for cell in hidden]):
            if not larger:
                total_shown = SUPPRESSED
                break
            hidden.add(larger.pop(0))
    return {cell: _text(count, hidden=cell in hidden) for cell, count in counts.items()}, total_shown


def _text(count: int, *, hidden: bool) -> str:
    if not hidden:
        return str(count)
    return SMALL if count < SMALLEST_SHOWN else SUPPRESSED


def _most(within: str | None) -> float:
    """Return the largest value of a part of a shown count; 0 if the whole is not shown, so that no part is."""
    if within is None:
        return inf
    return int(within) if within.isdigit() else 0


def _is_hidden(count: int, most: float) -> bool:
    return count > 0 and (count < SMALLEST_SHOWN or count > most)


def _range(count: int, most: float) -> _Hidden:
    if count < SMALLEST_SHOWN:
        return _Hidden(count, 1, SMALLEST_SHOWN - 1)
    return _Hidden(count, SMALLEST_SHOWN, most or inf)


def _is_computable(hidden: Collection[_Hidden]) -> bool:
    """Return whether the sum of the hidden counts, which the total reveals, leaves only one value for a small one."""
    total = sum(it.count for it in hidden)
    least, unlimited = sum(it.least for it in hidden), sum(it.most == inf for it in hidden)
    most = sum(it.most for it in hidden if it.most != inf)
    for it in hidden:
        if it.count >= SMALLEST_SHOWN:
            continue
        others_most = inf if unlimited else most - it.most
        if max(it.least, total - others_most) == min(it.most, total - (least - it.least)):
            return True
    return False
