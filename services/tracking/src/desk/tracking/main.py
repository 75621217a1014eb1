"""The command line: ``desk-tracking serve``, ``check``, ``migrate`` and ``reconcile``."""

from desk.chassis.command import Service, run
from desk.tracking.app import create_app
from desk.tracking.checks import checks
from desk.tracking.commands import reconcile
from desk.tracking.settings import Settings


def main() -> None:
    """Run a command."""
    run(
        Service(
            "tracking",
            create_app,
            checks,
            package="desk.tracking",
            settings=Settings,
            tasks={"reconcile": ("compare intake, tracking, broker and provinces, and print what differs", reconcile)},
        )
    )
