"""What table definitions share: names of constraints, timestamps in UTC, and INSERT … ON CONFLICT."""

from datetime import UTC, datetime

from sqlalchemy import DateTime, Dialect, MetaData, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.types import TypeDecorator

_NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


def new_metadata() -> MetaData:
    """Return an empty MetaData that gives every constraint a predictable name."""
    return MetaData(naming_convention=_NAMING)


def insert_into(dialect: str, table: Table) -> postgresql.Insert | sqlite.Insert:
    """Return an INSERT that supports ON CONFLICT, in the dialect named ``postgresql`` or ``sqlite``.

    Of a session it is ``session.dialect``.
    """
    if dialect == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)


class UtcDateTime(TypeDecorator[datetime]):
    """A timestamp in UTC, aware on both sides. SQLite stores no time zone; its values are read as UTC.

    Raises ValueError for a naive datetime.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's signature
        if value is not None and value.tzinfo is None:
            raise ValueError("a timestamp without a time zone cannot be stored")
        return value.astimezone(UTC) if value is not None else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's signature
        if value is not None and value.tzinfo is None:
            return value.replace(tzinfo=UTC)
        return value
