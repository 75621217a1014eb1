"""The catalogue in force: each replica keeps it in memory, and asks the database for later versions."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from desk.database import Database
from desk.intake.domain import Catalog, CatalogDocument
from desk.intake.service.catalog_drafts import CatalogKind
from desk.iran.workdays import WorkCalendar
from desk.versions.current import CurrentVersions


@dataclass(frozen=True, slots=True)
class Current:
    """What is valid now; ``catalog`` has nothing that is not active."""

    version: int
    catalog: Catalog
    document: CatalogDocument

    def calendar(self, usual: WorkCalendar) -> WorkCalendar:
        """Return a calendar in which also the days off of the catalogue are no working days."""
        return usual.without(self.catalog.holidays) if self.catalog.holidays else usual


class CurrentCatalog(CurrentVersions[Catalog, Current]):
    """The versions that are in force or approved for later, and what of them is valid now."""

    def __init__(
        self,
        database: Database,
        mobile_proof: str = "off",
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """``mobile_proof`` says whose mobile must be proven, which the document contains."""
        super().__init__(database, CatalogKind(), clock=clock)
        self._mobile_proof = mobile_proof

    def next_change(self, content: Catalog, now: datetime) -> datetime | None:
        """Return when a part of the catalogue begins or ends next."""
        return content.next_change(now)

    def compose(self, number: int, content: Catalog, now: datetime) -> Current:
        """Return the parts that are active."""
        catalog = content.at(now)
        return Current(number, catalog, CatalogDocument.of(catalog, number, self._mobile_proof))
