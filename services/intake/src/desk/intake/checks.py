"""What ``desk-intake check`` examines."""

from desk.chassis.checks import Checks, address, redis, traces
from desk.chassis.store_checks import broker, database
from desk.files.scanner import ClamScanner
from desk.intake.app import object_store
from desk.intake.settings import Settings


def checks() -> Checks:
    """Return a check for each dependency in the settings. Raises ValidationError for settings that are not valid."""
    settings = Settings()
    scanner = {} if settings.scanner_url == "none" else {"SCANNER_URL": ClamScanner(settings.scanner_url).ping}

    async def bucket() -> None:
        await object_store(settings).list_keys("check", after="", limit=1)

    return {
        "DATABASE_URL": database(settings.database_url.get_secret_value(), "desk.intake"),
        "BROKER_URL": broker(settings.broker_url.get_secret_value(), "intake"),
        "BUDGET_URL": redis(settings.budget_url.get_secret_value()),
        "S3_ENDPOINT": bucket,
        **scanner,
        "CAPTCHA_URL": address(settings.captcha_url),
        "REGISTRY_URL": address(settings.registry_url),
        **traces(settings),
    }
