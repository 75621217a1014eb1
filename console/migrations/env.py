from desk.console.store.tables import metadata
from desk.database import run_migrations

run_migrations(metadata)
