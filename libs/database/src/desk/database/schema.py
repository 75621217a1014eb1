"""Whether the migrations that a version of a service needs have run."""

import asyncio
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from desk.database.database import Database
from desk.database.migrations import migrations_of

_READ = text("SELECT version_num FROM alembic_version")


class SchemaOutdatedError(RuntimeError):
    """The database has an older schema than this version needs, or none."""


@dataclass(frozen=True, slots=True)
class Schema:
    """The schema that a package needs. A newer one is compatible: an upgrade migrates before it replaces replicas."""

    database: Database
    needed: str
    """The number of the newest migration, ``0016``."""

    @classmethod
    def of(cls, database: Database, package: str) -> "Schema":
        """Return the schema of a package with migrations, whose files are named ``0016_questions.py``."""
        names = (path.name for path in (migrations_of(package) / "versions").glob("[0-9]*_*.py"))
        return cls(database, max(name.partition("_")[0] for name in names))

    async def found(self) -> str | None:
        """Return the number of the last migration that has run; None if none has.

        Raises the driver's error if the database is unavailable.
        """
        try:
            async with self.database.read() as session:
                return (await session.execute(_READ)).scalar_one_or_none()
        except DBAPIError as error:
            if "alembic_version" not in str(error.orig):
                raise
            return None

    async def found_within(self, seconds: float) -> str | None:
        """Return the same as :meth:`found`, and None too if the database does not answer within ``seconds``."""
        try:
            async with asyncio.timeout(seconds):
                return await self.found()
        except (SQLAlchemyError, OSError):  # a TimeoutError too
            return None

    async def require(self) -> None:
        """Check the schema in one round trip.

        Raises SchemaOutdatedError, or the driver's error if the database is unavailable.
        """
        found = await self.found()
        if found is None or found < self.needed:
            raise SchemaOutdatedError(f"the schema is {found or 'missing'}, {self.needed} is needed: run `migrate`")
