from desk.database import run_migrations
from desk.notifier.store import metadata

run_migrations(metadata)
