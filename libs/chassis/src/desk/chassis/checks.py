"""``desk-<service> check``: whether everything that a deployment needs answers, before it serves."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import httpx

from desk.chassis.redis import connect
from desk.chassis.settings import TraceSettings

Check = Callable[[], Awaitable[None]]
"""Uses one dependency. Raises if it is unavailable or refuses."""
Checks = Mapping[str, Check]
"""Checks by the settings that name the dependency, without the prefix, such as ``BROKER_URL``."""
SECONDS = 15.0


async def find_problems(checks: Checks) -> dict[str, str]:
    """Run all checks at once; return a reason for each setting whose dependency does not answer in 15 s."""
    reasons = await asyncio.gather(*(_reason(check) for check in checks.values()))
    return {setting: reason for setting, reason in zip(checks, reasons, strict=True) if reason is not None}


async def _reason(check: Check) -> str | None:
    try:
        async with asyncio.timeout(SECONDS):
            await check()
    except TimeoutError:
        return f"no answer in {SECONDS:.0f} s"
    except (ValueError, httpx.InvalidURL) as error:  # its text may quote a part of the address, such as the password
        return f"{type(error).__name__}: the address cannot be read; write / # ? [ in a password as %2F %23 %3F %5B"
    except Exception as error:  # noqa: BLE001 - each driver has its own; all of them mean that the dependency cannot be used
        cause = error.__cause__ or error
        return f"{type(cause).__name__}: {cause}".partition("\n")[0].removesuffix(": ")
    return None


def redis(url: str) -> Check:
    """Check that Redis answers and accepts the user."""

    async def check() -> None:
        client = connect(url, 1)
        try:
            await client.ping()
        finally:
            await client.aclose()

    return check


def traces(settings: TraceSettings) -> Checks:
    """Return the check that the collector of traces answers, if the settings name one."""
    return {} if settings.traces_url is None else {"TRACES_URL": address(settings.traces_url)}


def address(url: str) -> Check:
    """Check that a server answers at the address; any response is an answer."""

    async def check() -> None:
        async with httpx.AsyncClient(timeout=SECONDS) as client:
            await client.get(url)

    return check
