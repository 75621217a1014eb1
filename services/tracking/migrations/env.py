from desk.database import run_migrations
from desk.tracking.store import metadata

run_migrations(metadata)
