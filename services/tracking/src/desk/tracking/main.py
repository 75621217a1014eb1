"""The command line: ``desk-tracking serve`` and ``migrate``."""

from desk.chassis.command import Service, run
from desk.tracking.app import create_app
from desk.tracking.settings import Settings


def main() -> None:
    """Run it."""
    run(
        Service(
            "tracking",
            create_app,
            package="desk.tracking",
            settings=Settings,
        )
    )
