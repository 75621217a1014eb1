"""The command line: ``desk-registry-gateway serve``, ``check`` and ``migrate``."""

from desk.chassis.command import Service, run
from desk.registry_gateway.app import create_app
from desk.registry_gateway.checks import checks
from desk.registry_gateway.settings import Settings


def main() -> None:
    """Run the command line."""
    run(Service("registry-gateway", create_app, checks, package="desk.registry_gateway", settings=Settings))
