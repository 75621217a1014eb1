"""The command line: ``desk-intake serve``, ``migrate`` and ``set-up-storage``."""

from desk.chassis.command import Service, run
from desk.intake.app import create_app, object_store
from desk.intake.settings import Settings


async def set_up_storage() -> list[str]:
    """Make the bucket and its lifecycle; safe to run again."""
    return await object_store(Settings()).set_up()


def main() -> None:
    """Run it."""
    run(
        Service(
            "intake",
            create_app,
            package="desk.intake",
            settings=Settings,
            tasks={"set-up-storage": ("make the bucket for attachments and its lifecycle", set_up_storage)},
        )
    )
