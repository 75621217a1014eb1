"""The command line: ``desk-captcha serve``, ``check``."""

from desk.captcha.app import create_app
from desk.captcha.checks import checks
from desk.chassis.command import Service, run


def main() -> None:
    """Run the command line."""
    run(Service("captcha", create_app, checks))
