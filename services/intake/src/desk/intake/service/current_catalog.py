"""The catalogue in force: each replica keeps it in memory, and asks the database for later versions."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog
from sqlalchemy.exc import SQLAlchemyError

from desk.database import Database
from desk.intake.domain import FIRST_VERSION, Catalog, CatalogDocument
from desk.intake.store import CatalogStore, load_catalog
from desk.iran.workdays import WorkCalendar

log = structlog.get_logger(__name__)

PAUSE_SECONDS = 15.0
"""Between two refreshes: with the caches in front of it, a page has a new version within a minute."""
_BEFORE_ALL = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Current:
    """What is valid now, and until when; ``catalog`` has nothing that is not active."""

    version: int
    catalog: Catalog
    document: CatalogDocument
    until: datetime | None

    def calendar(self, usual: WorkCalendar) -> WorkCalendar:
        """Return a calendar in which also the days off of the catalogue are no working days."""
        return usual.without(self.catalog.holidays) if self.catalog.holidays else usual


class CurrentCatalog:
    """The versions that are in force or approved for later, and what of them is valid now."""

    def __init__(
        self,
        database: Database,
        mobile_proof: str = "off",
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """``mobile_proof`` says whose mobile must be proven, which the document contains."""
        self._database, self._mobile_proof, self._clock = database, mobile_proof, clock
        self._upcoming: list[tuple[int, datetime]] = [(FIRST_VERSION, _BEFORE_ALL)]
        self._contents: dict[int, Catalog] = {FIRST_VERSION: load_catalog()}
        self._current: Current | None = None
        self._loaded = False

    def get(self) -> Current:
        """Return what is valid now."""
        now = self._clock()
        if self._current is None or (self._current.until is not None and self._current.until <= now):
            self._current = self._compose(now)
        return self._current

    async def run_once(self) -> None:
        """Read the versions in force or approved for later; contents that are in memory are not read again."""
        try:
            await self._refresh()
        except (SQLAlchemyError, OSError) as error:
            log.warning("the catalogue is not refreshed", error=type(error).__name__)

    async def require_loaded(self) -> None:
        """Read the versions once before requests are accepted. Raises what the database raises."""
        if not self._loaded:
            await self._refresh()

    async def _refresh(self) -> None:
        async with self._database.read() as session:
            upcoming = await CatalogStore(session).upcoming(self._clock())
        if not upcoming:
            async with self._database.transaction() as session:
                await CatalogStore(session).add_first()
        self._loaded = True
        if not upcoming or upcoming == self._upcoming:
            return
        contents = {}
        async with self._database.read() as session:
            for number, _ in upcoming:
                known = self._contents.get(number) if number != FIRST_VERSION else None
                contents[number] = known or await CatalogStore(session).content(number)
        self._upcoming, self._contents, self._current = upcoming, contents, None

    def _compose(self, now: datetime) -> Current:
        number, _ = next((each for each in self._upcoming if each[1] <= now), self._upcoming[-1])
        whole = self._contents[number]
        moments = [whole.next_change(now), *(at for _, at in self._upcoming if at > now)]
        catalog = whole.at(now)
        return Current(
            number,
            catalog,
            CatalogDocument.of(catalog, number, self._mobile_proof),
            min((each for each in moments if each is not None), default=None),
        )
