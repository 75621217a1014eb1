"""What a service gives for a kind of document: the type of its content, its tables and its validation."""

from abc import ABC, abstractmethod
from datetime import datetime
from typing import TYPE_CHECKING, Generic, TypeVar

from pydantic import BaseModel

from desk.versions.tables import VersionTables

if TYPE_CHECKING:
    from desk.versions.store import VersionStore

C = TypeVar("C", bound=BaseModel)
"""The content of a version."""


class Kind(ABC, Generic[C]):
    """A kind of document."""

    name: str
    """Begins the actions in the audit log, such as ``catalog_draft_begun``."""
    tables: VersionTables

    @abstractmethod
    def first(self) -> C:
        """Return the content of the version that the package contains."""

    @abstractmethod
    def stored(self, text: str) -> C:
        """Read content that was stored."""

    @abstractmethod
    async def checked(self, store: "VersionStore[C]", content: object, based_on: int) -> C:
        """Return what a caller wants to store in a draft that began with version ``based_on``.

        Raises the kind's ContentInvalidError.
        """

    def returned(self, content: C, newest: C, now: datetime) -> C:  # noqa: ARG002 - for kinds that need them
        """Return the content of an earlier version as that of a draft, which follows the newest version."""
        return content
