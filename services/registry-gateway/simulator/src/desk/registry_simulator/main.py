"""The command line: ``desk-registry-simulator serve``."""

from desk.chassis.command import Service, run
from desk.registry_simulator.app import create_app


def main() -> None:
    """Run the command line."""
    run(Service("registry-simulator", create_app))
