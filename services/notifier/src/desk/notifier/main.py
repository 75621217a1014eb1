"""The command line: ``desk-notifier serve``, ``check`` and ``migrate``."""

from desk.chassis.command import Service, run
from desk.notifier.app import create_app
from desk.notifier.checks import checks
from desk.notifier.settings import Settings


def main() -> None:
    """Run the command line."""
    run(
        Service(
            "notifier",
            create_app,
            checks,
            package="desk.notifier",
            settings=Settings,
        )
    )
