"""Tasks of the command line."""

from datetime import UTC, datetime

from desk.chassis.command import TaskFailedError
from desk.chassis.problem import ServiceUnavailableError
from desk.security.logs import configure_logging
from desk.tracking.app import build_outbox, build_reconciliation, real_parts
from desk.tracking.settings import Settings


async def reconcile() -> list[str]:
    """Compare once, for the command line; return a line for each difference and their number.

    Raises TaskFailedError.
    """
    settings = Settings()
    configure_logging(settings.log_style, settings.log_level)
    parts = real_parts(settings)
    reconciliation = build_reconciliation(settings, parts, build_outbox(settings))
    try:
        found = await reconciliation.find_differences(datetime.now(UTC))
    except ServiceUnavailableError as error:
        raise TaskFailedError("intake is unavailable: nothing was compared") from error
    finally:
        await parts.database.close()
        for close in parts.close:
            await close()
    lines = [f"{each.kind}: {each.where}" + (f" ({each.count})" if each.count > 1 else "") for each in found]
    return [*lines, f"{sum(each.count for each in found)} differences"]
