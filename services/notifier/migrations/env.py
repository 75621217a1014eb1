from desk.chassis.db import run_migrations
from desk.notifier.store import metadata

run_migrations(metadata)
