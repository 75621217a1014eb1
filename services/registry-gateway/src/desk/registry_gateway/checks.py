"""What ``desk-registry-gateway check`` examines."""

from desk.chassis.checks import Checks, address, redis, traces
from desk.chassis.store_checks import database
from desk.registry_gateway.settings import Settings


def checks() -> Checks:
    """Return a check for each dependency in the settings. Raises ValidationError for settings that are not valid.

    The state's services only have to answer: a look-up would be counted there, and be about a person.
    """
    settings = Settings()
    outside = {"REGISTRY_URL": settings.registry_url, "MOBILE_URL": settings.mobile_url}
    return {
        "DATABASE_URL": database(settings.database_url.get_secret_value(), "desk.registry_gateway"),
        "BUDGET_URL": redis(settings.budget_url.get_secret_value()),
        "CAPTCHA_URL": address(settings.captcha_url),
        **{name: address(url) for name, url in outside.items() if url},
        **traces(settings),
    }
