"""How SMS providers share the messages, and how a failing provider gets fewer."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

SLOW_AFTER = timedelta(minutes=5)
STATS_PERIOD = timedelta(minutes=30)
MIN_SAMPLE = 10
"""The number of messages below which a provider is not judged."""
DEMOTED_AT, SOUND_UNTIL = 0.15, 0.05
MIN_TRUST = 0.05
"""The part of its weight that a demoted provider keeps, so that its recovery is noticed."""


@dataclass(frozen=True, slots=True)
class ProviderStats:
    """How many messages a provider got in the last half hour, and how many of them failed or were slow."""

    sent: int = 0
    failed: int = 0

    @property
    def trust(self) -> float:
        """The part of its weight that the provider keeps: all up to 5 % failures, the least from 15 %, linear between.

        It recovers by itself, since old attempts no longer count.
        """
        if self.sent < MIN_SAMPLE:
            return 1.0
        rest = (DEMOTED_AT - self.failed / self.sent) / (DEMOTED_AT - SOUND_UNTIL)
        return min(1.0, max(MIN_TRUST, rest))


def choose_provider(weights: Mapping[str, int], stats: Mapping[str, ProviderStats], point: float) -> str:
    """Choose a provider by weight and trust; ``point`` is a random number in [0, 1)."""
    shares = {name: weight * stats.get(name, ProviderStats()).trust for name, weight in weights.items()}
    left = point * sum(shares.values())
    for name, share in shares.items():
        left -= share
        if left < 0:
            return name
    return next(reversed(shares))
