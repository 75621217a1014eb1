"""The command line: ``desk-intake serve``, ``check``, ``migrate`` and ``set-up-storage``."""

import asyncio
import time

from desk.chassis.command import Service, run
from desk.chassis.storage import ObjectStoreUnavailableError
from desk.intake.app import create_app, object_store
from desk.intake.checks import checks
from desk.intake.settings import Settings

STORAGE_DEADLINE_SECONDS = 60.0
_PAUSE_SECONDS = 1.0


async def set_up_storage() -> list[str]:
    """Create the bucket and its lifecycle rules; idempotent. Waits up to a minute for a server that is starting.

    Raises ObjectStoreUnavailableError.
    """
    store, deadline = object_store(Settings()), time.monotonic() + STORAGE_DEADLINE_SECONDS
    while True:
        try:
            return await store.set_up()
        except ObjectStoreUnavailableError:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(_PAUSE_SECONDS)


def main() -> None:
    """Run the command line."""
    run(
        Service(
            "intake",
            create_app,
            checks,
            package="desk.intake",
            settings=Settings,
            tasks={"set-up-storage": ("create the bucket for attachments and its lifecycle rules", set_up_storage)},
        )
    )
