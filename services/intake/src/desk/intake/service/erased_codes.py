"""The list of erased codes in the object store, so that a restored database cannot bring back an erasure."""

import io
from dataclasses import dataclass
from datetime import UTC, datetime

from desk.chassis.storage import ObjectMissingError, ObjectStore, ObjectStoreUnavailableError
from desk.intake.domain import StorageUnavailableError

PREFIX = "erased"


@dataclass(frozen=True, slots=True)
class ErasedCodes:
    """One object for each code, with the time as its content. A tracking code alone is no personal data."""

    storage: ObjectStore

    async def add(self, tracking_code: str) -> None:
        """Add a code permanently; a repeat sets its time again. Raises StorageUnavailableError."""
        key, content = f"{PREFIX}/{tracking_code}", datetime.now(UTC).isoformat(timespec="seconds").encode()
        try:
            await self.storage.put(key, io.BytesIO(content), len(content), "text/plain")
            await self.storage.keep(key)
        except (ObjectStoreUnavailableError, ObjectMissingError) as error:
            raise StorageUnavailableError(str(error)) from error

    async def list_after(self, tracking_code: str, limit: int) -> list[str]:
        """Return up to ``limit`` codes in order, those after ``tracking_code``. Raises StorageUnavailableError."""
        try:
            keys = await self.storage.list_keys(PREFIX, after=tracking_code, limit=limit)
        except ObjectStoreUnavailableError as error:
            raise StorageUnavailableError(str(error)) from error
        return [key.removeprefix(f"{PREFIX}/") for key in keys]
