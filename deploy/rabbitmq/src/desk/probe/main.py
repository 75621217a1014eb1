"""The command line ``desk-probe``."""

import argparse
import asyncio
import sys
from collections.abc import Sequence

from pydantic import ValidationError
from pydantic_settings import SettingsError

from desk.probe.run import ProbeFailedError, run
from desk.probe.settings import Settings
from desk.security.settings import fault_lines


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line. A failure is one line and exit code 1."""
    options = _parser().parse_args(arguments)
    try:
        settings = Settings()
        if options.every is None:
            asyncio.run(run(settings, _say))
        else:
            asyncio.run(_repeat(settings, options.every))
    except ValidationError as error:
        sys.exit(f"desk-probe: {'; '.join(fault_lines(error, 'DESK_PROBE_'))}")
    except (ProbeFailedError, SettingsError) as error:
        sys.exit(f"desk-probe: FAILED: {error}")


async def _repeat(settings: Settings, seconds: float) -> None:
    """Run at intervals until the process is stopped. A failure does not end it."""
    while True:
        pause = asyncio.create_task(asyncio.sleep(seconds))
        try:
            await run(settings, _say)
        except ProbeFailedError as error:
            _say(f"FAILED: {error}")
        await pause


def _say(line: str) -> None:
    print(f"desk-probe: {line}", flush=True)  # noqa: T201 - the output of the command


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="desk-probe", description="Tests the desk as an applicant uses it.")
    commands = parser.add_subparsers(dest="command", required=True)
    running = commands.add_parser("run", help="submit a synthetic request and track it")
    running.add_argument("--every", type=_seconds, metavar="SECONDS", help="repeat it at this interval (default: once)")
    return parser


def _seconds(text: str) -> float:
    seconds = float(text)
    if seconds < 1:
        raise argparse.ArgumentTypeError("a number from 1 up")
    return seconds


if __name__ == "__main__":
    main()
