"""What ``desk-captcha check`` examines."""

from desk.captcha.settings import Settings
from desk.chassis.checks import Checks, address, redis, traces


def checks() -> Checks:
    """Return a check for each dependency in the settings. Raises ValidationError for settings that are not valid."""
    settings = Settings()
    notifier = {} if settings.notifier_url is None else {"NOTIFIER_URL": address(settings.notifier_url)}
    return {"REDIS_URL": redis(settings.redis_url.get_secret_value()), **notifier, **traces(settings)}
