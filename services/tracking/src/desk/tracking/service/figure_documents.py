"""Figures as JSON documents. The one that headquarters asks for by default is made ahead and kept."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from desk.iran.offices import HEADQUARTERS
from desk.tracking.service.figures import CountedPeriod, Figures, Scope

KEPT = timedelta(minutes=2)
"""A kept document is at most so old. It is made again every minute."""


@dataclass(frozen=True, slots=True)
class _Kept:
    found: CountedPeriod
    document: str


@dataclass(slots=True)
class FigureDocuments:
    """Makes the documents of figures. With a million cases, that of all offices takes half a second."""

    figures: Figures
    render: Callable[[CountedPeriod], str]
    _kept: _Kept | None = field(default=None, init=False)

    async def keep(self) -> None:
        """Make and keep the document of all offices and the last twelve months."""
        found = await self.figures.count(self.figures.scope(HEADQUARTERS.key, None, None, None))
        self._kept = _Kept(found, await asyncio.to_thread(self.render, found))

    async def get(self, scope: Scope) -> str:
        """Return the document of a scope. The kept one may be two minutes old, as its ``at`` says."""
        kept = self._kept
        if kept is not None and kept.found.scope == scope and self._age(kept) <= KEPT:
            return kept.document
        found = await self.figures.count(scope)
        return await asyncio.to_thread(self.render, found)  # it takes long: other calls go on meanwhile

    def _age(self, kept: _Kept) -> timedelta:
        return self.figures.context.clock() - kept.found.at
