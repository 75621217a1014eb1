from desk.database import run_migrations
from desk.intake.store import metadata

run_migrations(metadata)
