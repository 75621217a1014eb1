"""How the providers of SMS share the work, and how one that fails loses some of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

SLOW_AFTER = timedelta(minutes=5)
RECENTLY = timedelta(minutes=30)
ENOUGH_TO_JUDGE = 10
DEMOTED_AT, SOUND_UNTIL = 0.15, 0.05
LEAST_SHARE = 0.05
"""What is left of a demoted provider's weight: enough to see that it has recovered."""


@dataclass(frozen=True, slots=True)
class Record:
    """How a provider did of late: how many messages it was given, and how many it failed or took too long with."""

    given: int = 0
    bad: int = 0

    @property
    def trust(self) -> float:
        """What part of its weight a provider keeps: all with few bad ones, the least from 15 % on, between in between.

        Since only what happened of late counts, it drifts back by itself.
        """
        if self.given < ENOUGH_TO_JUDGE:
            return 1.0
        rest = (DEMOTED_AT - self.bad / self.given) / (DEMOTED_AT - SOUND_UNTIL)
        return min(1.0, max(LEAST_SHARE, rest))


def choose(weights: Mapping[str, int], records: Mapping[str, Record], point: float) -> str:
    """Choose a provider by weight and trust; ``point`` is random, from 0 up to 1."""
    shares = {name: weight * records.get(name, Record()).trust for name, weight in weights.items()}
    left = point * sum(shares.values())
    for name, share in shares.items():
        left -= share
        if left < 0:
            return name
    return next(reversed(shares))
