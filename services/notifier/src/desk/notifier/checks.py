"""What ``desk-notifier check`` examines."""

from desk.chassis.checks import Checks, redis, traces
from desk.chassis.store_checks import broker, database
from desk.notifier.app import smtp_channel
from desk.notifier.settings import Settings


def checks() -> Checks:
    """Return a check for each dependency in the settings. Raises ValidationError for settings that are not valid.

    SMS providers are not asked: most of them have no call that costs nothing.
    """
    settings = Settings()
    return {
        "DATABASE_URL": database(settings.database_url.get_secret_value(), "desk.notifier"),
        "BROKER_URL": broker(settings.broker_url.get_secret_value(), "notifier"),
        "BUDGET_URL": redis(settings.budget_url.get_secret_value()),
        "SMTP_HOST": smtp_channel(settings).check,
        **traces(settings),
    }
