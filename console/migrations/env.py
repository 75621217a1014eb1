from desk.console.db import run_migrations
from desk.console.store.tables import metadata

run_migrations(metadata)
