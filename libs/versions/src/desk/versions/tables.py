"""The tables of a document that is kept in versions."""

from dataclasses import dataclass

from sqlalchemy import Column, Integer, MetaData, String, Table, Text

from desk.database import UtcDateTime


@dataclass(frozen=True, slots=True)
class VersionTables:
    """The two tables of one kind of document."""

    version: Table
    """Versions that are not cancelled have times in force in the order of their numbers."""
    draft: Table
    """Drafts of the next version; ``editors`` is a JSON list of the people who changed it."""


def add_version_tables(metadata: MetaData, name: str, *, previews: bool = False) -> VersionTables:
    """Add ``<name>_version`` and ``<name>_draft``; with ``previews`` a draft has a random value for pages."""
    version = Table(
        f"{name}_version",
        metadata,
        Column("number", Integer, primary_key=True, autoincrement=False),
        Column("content", Text, nullable=False),
        Column("note", String(600), nullable=False),
        Column("author", Text, nullable=False),
        Column("approved_by", String(80), nullable=False),
        Column("approved_at", UtcDateTime, nullable=False),
        Column("in_force_at", UtcDateTime, nullable=False),
        Column("cancelled_at", UtcDateTime),
        Column("cancelled_by", String(80)),
    )
    draft = Table(
        f"{name}_draft",
        metadata,
        Column("id", String(36), primary_key=True),
        *([Column("preview", String(40), nullable=False, unique=True)] if previews else []),
        Column("revision", Integer, nullable=False),
        Column("based_on", Integer, nullable=False),
        Column("content", Text, nullable=False),
        Column("note", String(600), nullable=False),
        Column("editors", Text, nullable=False),
        Column("proposed_by", String(80)),
        Column("changed_at", UtcDateTime, nullable=False),
    )
    return VersionTables(version, draft)
