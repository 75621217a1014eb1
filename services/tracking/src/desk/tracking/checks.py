"""What ``desk-tracking check`` examines."""

from desk.chassis.checks import Checks, address, redis, traces
from desk.chassis.store_checks import broker, database
from desk.tracking.settings import Settings


def checks() -> Checks:
    """Return a check for each dependency in the settings. Raises ValidationError for settings that are not valid."""
    settings = Settings()
    return {
        "DATABASE_URL": database(settings.database_url.get_secret_value(), "desk.tracking"),
        "BROKER_URL": broker(settings.broker_url.get_secret_value(), "tracking"),
        "BUDGET_URL": redis(settings.budget_url.get_secret_value()),
        "CAPTCHA_URL": address(settings.captcha_url),
        "INTAKE_URL": address(settings.intake_url),
        "REGISTRY_URL": address(settings.registry_url),
        **traces(settings),
    }
