"""Migrates the registry gateway's own database."""

from desk.database import run_migrations
from desk.registry_gateway.store import metadata

run_migrations(metadata)
