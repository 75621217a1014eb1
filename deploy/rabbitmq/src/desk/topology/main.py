"""``desk-topology``: sets up RabbitMQ for the desk, and handles dead letters."""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError
from pydantic_settings import SettingsError

from desk.security.settings import fault_lines
from desk.topology.apply import apply, without_password
from desk.topology.dead_letters import DeadLetter, dead_letters
from desk.topology.definitions import as_json, definitions
from desk.topology.errors import TopologyError
from desk.topology.management import Management
from desk.topology.settings import Settings
from desk.topology.table import desk_topology


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line. An error is one line and exit code 1."""
    options = _parser().parse_args(arguments)
    try:
        settings = Settings()
        match options.command:
            case "definitions":
                _definitions(settings, options.write)
            case "apply":
                _apply(settings)
            case "list":
                asyncio.run(_list(settings, options.queue, options.limit))
            case "replay":
                asyncio.run(_replay(settings, options.queue, options.limit))
    except (TopologyError, SettingsError, ValidationError, OSError) as error:
        sys.exit(f"desk-topology: {_one_line(error)}")


def _definitions(settings: Settings, path: Path | None) -> None:
    text = as_json(settings.vhost)
    if path is None:
        sys.stdout.write(text)
    else:
        path.write_text(text)


def _apply(settings: Settings) -> None:
    passwords, wanted, changed = settings.passwords_by_user(), definitions(settings.vhost), False
    with Management(settings.require("management_url")) as management:
        for change in apply(management, wanted, passwords):
            _say(change)
            changed = True
        if not changed:
            _say("nothing to change")
        if locked_out := without_password(management, wanted):
            _say(f"without a password, so they cannot log in yet: {', '.join(locked_out)}")


async def _list(settings: Settings, queue: str | None, limit: int) -> None:
    async with dead_letters(settings.require("amqp_url")) as letters:
        if queue is not None:
            for letter in await letters.look(queue, limit):
                _say(_line(letter))
            return
        counts = {each.name: await letters.count(each.name) for each in desk_topology().queues}
    for name, count in counts.items():
        if count:
            _say(f"{name}: {count}")
    if not any(counts.values()):
        _say("no dead letters")


async def _replay(settings: Settings, queue: str, limit: int | None) -> None:
    async with dead_letters(settings.require("amqp_url")) as letters:
        _say(f"{queue}: {await letters.replay(queue, limit)} replayed")


def _line(letter: DeadLetter) -> str:
    sent_at = letter.sent_at.isoformat(timespec="seconds") if letter.sent_at else "-"
    return f"{letter.id}  {sent_at}  {letter.routing_key or '-'}  {letter.type}  {letter.size} bytes  {letter.died_of}"


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - the output of the command


def _one_line(error: Exception) -> str:
    if isinstance(error, ValidationError):
        return "; ".join(fault_lines(error, "DESK_TOPOLOGY_"))
    return " ".join(str(error).split())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="desk-topology", description="RabbitMQ for the service desk.")
    commands = parser.add_subparsers(dest="command", required=True)
    written = commands.add_parser("definitions", help="print the definitions in RabbitMQ's format")
    written.add_argument("--write", type=Path, metavar="FILE", help="write them to a file instead")
    commands.add_parser("apply", help="create and correct what a running RabbitMQ lacks; deletes no queue")
    letters = commands.add_parser("dead-letters", help="what could not be handled").add_subparsers(
        dest="command", required=True
    )
    listed = letters.add_parser("list", help="count them, or describe those of one queue")
    listed.add_argument("queue", nargs="?", choices=_queues(), metavar="queue")
    listed.add_argument("--limit", type=_count, default=50, help="describe at most so many (default: %(default)s)")
    replayed = letters.add_parser("replay", help="put them back into their queue")
    replayed.add_argument("queue", choices=_queues(), metavar="queue")
    replayed.add_argument("--limit", type=_count, help="put back at most so many (default: all)")
    return parser


def _queues() -> list[str]:
    return [queue.name for queue in desk_topology().queues]


def _count(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError("a number from 1 up")
    return int(text)


if __name__ == "__main__":
    main()
