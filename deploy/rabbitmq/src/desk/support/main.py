"""The command line ``desk-support``."""

import argparse
import asyncio
import base64
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError
from pydantic_settings import SettingsError

from desk.security.settings import fault_lines
from desk.support.archive import archive, summary
from desk.support.collect import Queues, Replica, queues, replicas_of
from desk.topology.settings import Settings

STANDARD_OUTPUT = "-"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line. An error is one line and exit code 1."""
    options = _parser().parse_args(arguments)
    try:
        _bundle(Settings(), options.output)
    except ValidationError as error:
        sys.exit(f"desk-support: {'; '.join(fault_lines(error, 'DESK_TOPOLOGY_'))}")
    except (SettingsError, OSError) as error:
        sys.exit(f"desk-support: {' '.join(str(error).split())}")


def _bundle(settings: Settings, output: str) -> None:
    """Write the bundle to a new file, or in base64 to standard output."""
    made_at = datetime.now(UTC)
    replicas, counted = asyncio.run(_collect(settings))
    content = archive(made_at, replicas, counted)
    if output == STANDARD_OUTPUT:
        sys.stdout.write(base64.encodebytes(content).decode())
        return
    handle = os.open(Path(output), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    print("\n".join(summary(made_at, replicas, counted)))  # noqa: T201 - the output of the command


async def _collect(settings: Settings) -> tuple[list[Replica], Queues]:
    asking = asyncio.gather(*(replicas_of(name, url) for name, url in settings.health_urls.items()))
    url = settings.amqp_url
    if url is None:
        counted = Queues(error="DESK_TOPOLOGY_AMQP_URL is not set")
    else:
        counted = await queues(url.get_secret_value())
    return [each for found in await asking for each in found], counted


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="desk-support", description="The state of the desk, for those who help.")
    commands = parser.add_subparsers(dest="command", required=True)
    bundle = commands.add_parser(
        "bundle", help="collect versions, settings without secrets, health, queues and recent errors in one archive"
    )
    bundle.add_argument(
        "--output", required=True, metavar="FILE", help="a new file (tar.gz); - writes it to standard output in base64"
    )
    return parser


if __name__ == "__main__":
    main()
