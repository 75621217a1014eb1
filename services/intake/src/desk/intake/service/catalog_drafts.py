"""Editing the catalogue: its validation, and the preview of a draft."""

from dataclasses import dataclass
from datetime import datetime

from pydantic import ValidationError

from desk.chassis.problem import FieldError
from desk.intake.domain import Catalog, CatalogDocument, CatalogError, CatalogInvalidError
from desk.intake.store import catalog_tables, load_catalog
from desk.versions.drafts import Drafts
from desk.versions.kinds import Kind
from desk.versions.store import VersionStore


class CatalogKind(Kind[Catalog]):
    """The catalogue as a document in versions."""

    name = "catalog"
    tables = catalog_tables

    def first(self) -> Catalog:
        """Return the catalogue of the package."""
        return load_catalog()

    def stored(self, text: str) -> Catalog:
        """Read a catalogue that was stored."""
        return Catalog.model_validate_json(text)

    async def checked(self, store: VersionStore[Catalog], content: object, based_on: int) -> Catalog:
        """Return content as a catalogue. Raises CatalogInvalidError, with a sentence for each fault."""
        earlier = await store.content(based_on)
        try:
            catalog = Catalog.model_validate(content)
            catalog.require_keys_of(earlier)
        except ValidationError as error:
            faults = error.errors(include_url=False, include_input=False)
            raise CatalogInvalidError(
                [_fault(".".join(map(str, each["loc"])) or "content", each["msg"]) for each in faults]
            ) from None
        except CatalogError as error:
            raise CatalogInvalidError([_fault("subjects", str(error))]) from None
        return catalog

    def returned(self, content: Catalog, newest: Catalog, now: datetime) -> Catalog:
        """Return an earlier catalogue with what only the newest one has, ended."""
        return content.with_keys_of(newest, now)


@dataclass(frozen=True, slots=True)
class CatalogDrafts(Drafts[Catalog]):
    """Drafts and versions of the catalogue. Each action is audited."""

    async def preview(self, preview: str) -> CatalogDocument:
        """Return a draft as pages show it once it is in force. Raises DraftNotFoundError."""
        draft, content = await self.previewed(preview)
        return CatalogDocument.of(content.at(self.clock()), draft.based_on + 1)


def _fault(place: str, rule: str) -> FieldError:
    return FieldError(place, "catalog_invalid", f"این بخش درست نیست: {rule}")
