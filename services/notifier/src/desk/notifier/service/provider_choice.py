"""Chooses the provider of each message by weight and by how its recent attempts ended."""

import random
import time
from collections.abc import Mapping

from desk.database import Database
from desk.notifier.domain import ProviderStats, choose_provider
from desk.notifier.store import ClaimStore

STATS_SECONDS = 5.0
"""How long counted attempts are used: counting them costs more than to send a message."""


class ProviderChoice:
    """The providers of a channel; without any, no provider is ever chosen."""

    def __init__(self, database: Database, weights: Mapping[str, int]) -> None:
        self._database = database
        self._weights = weights
        self._stats: Mapping[str, ProviderStats] = {}
        self._count_after = 0.0

    async def choose(self, number: int) -> list[str]:
        """Return a provider for each of ``number`` messages; an empty list if the channel has none."""
        if not self._weights:
            return []
        if time.monotonic() >= self._count_after:
            async with self._database.statements() as connection:
                self._stats = await ClaimStore(connection).provider_stats()
            self._count_after = time.monotonic() + STATS_SECONDS
        return [choose_provider(self._weights, self._stats, random.random()) for _ in range(number)]  # noqa: S311 - shares of work

    def forget(self) -> None:
        """Count the attempts again before the next choice, because one has failed."""
        self._count_after = 0.0
