"""The commands ``desk-keys`` and ``desk-audit``: they work on each service whose settings are in the environment.

A service names itself by an entry point of the group ``desk.stores``, a function that reads its settings and returns
:class:`StoredData`.
"""

import argparse
import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from pydantic import ValidationError
from pydantic_settings import SettingsError
from sqlalchemy.exc import SQLAlchemyError

from desk.database.chain import Chain, ChainBrokenError
from desk.database.database import Database
from desk.database.rotation import Rotation
from desk.database.sessions import DatabaseSession
from desk.security.settings import SECRETS_DIR, fault_lines

GROUP = "desk.stores"


@dataclass(frozen=True, slots=True)
class StoredData:
    """What a service keeps encrypted, indexed and audited."""

    database: Database
    rotation: Rotation | None
    """None for a service without encrypted columns."""
    chain: Chain | None
    """None for a service without an audit log."""
    record: Callable[[DatabaseSession, str], Awaitable[None]] | None = None
    """Adds an action of the operator to the audit log."""


Command = Callable[[StoredData, argparse.Namespace], Awaitable[tuple[list[str], bool]]]
"""Returns the lines to print, and whether all is well."""


def keys(arguments: Sequence[str] | None = None) -> None:
    """Run ``desk-keys rotate`` or ``desk-keys status``."""
    parser = argparse.ArgumentParser(prog="desk-keys", description="Rotate the keys of stored data, under load.")
    commands = parser.add_subparsers(dest="command", required=True)
    rotating = commands.add_parser("rotate", help="rewrite everything that is not under the current keys")
    rotating.set_defaults(run=_rotate)
    status = commands.add_parser("status", help="count the rows of each key, to learn which keys are still needed")
    status.set_defaults(run=_status)
    _run("desk-keys", parser.parse_args(arguments))


def audit(arguments: Sequence[str] | None = None) -> None:
    """Run ``desk-audit verify`` or ``desk-audit show``."""
    parser = argparse.ArgumentParser(prog="desk-audit", description="Verify and read the audit logs.")
    commands = parser.add_subparsers(dest="command", required=True)
    verifying = commands.add_parser("verify", help="find the first entry that was changed, removed or moved")
    verifying.add_argument(
        "--at-least",
        type=int,
        default=0,
        metavar="N",
        help="the number of an entry that was written, from the metric desk_audit_entries or an `audit log` line",
    )
    verifying.set_defaults(run=_verify)
    showing = commands.add_parser("show", help="list the entries about a request")
    showing.add_argument("--subject", required=True, metavar="CODE", help="the tracking code")
    showing.set_defaults(run=_show)
    _run("desk-audit", parser.parse_args(arguments))


def _run(program: str, options: argparse.Namespace) -> None:
    found = list(configured_services())
    if not found:
        sys.exit(f"{program}: the environment has no settings of a service with stored data")
    if len(found) > 1 and getattr(options, "at_least", None):
        sys.exit(f"{program}: --at-least is the number of one service; the environment has settings of several")
    failed = [each for each in found if not _run_for(program, each, options)]
    if failed:
        sys.exit(1)


def configured_services() -> Iterator[EntryPoint]:
    """Yield the installed services that have a setting in the environment or in the folder of secrets."""
    folder = os.environ.get(SECRETS_DIR)
    names = [*os.environ, *(path.name for path in Path(folder).iterdir())] if folder else list(os.environ)
    for each in sorted(entry_points(group=GROUP), key=lambda each: each.name):
        if any(name.upper().startswith(_prefix(each)) for name in names):
            yield each


def _prefix(service: EntryPoint) -> str:
    return f"DESK_{service.name.upper().replace('-', '_')}_"


def _run_for(program: str, service: EntryPoint, options: argparse.Namespace) -> bool:
    try:
        lines, well = asyncio.run(_with_data(service, options))
    except ValidationError as error:
        lines, well = fault_lines(error, _prefix(service)), False
    except SettingsError as error:
        lines, well = [str(error)], False
    except (SQLAlchemyError, OSError) as error:
        reason = str(error.__cause__ or error).partition("\n")[0]
        lines, well = [f"the database is unavailable or has no schema: {reason}"], False
    for line in lines:
        print(f"{program}: {service.name}: {line}", file=sys.stdout if well else sys.stderr)
    return well


async def _with_data(service: EntryPoint, options: argparse.Namespace) -> tuple[list[str], bool]:
    data: StoredData = service.load()()
    run: Command = options.run
    try:
        return await run(data, options)
    finally:
        await data.database.close()


async def _rotate(data: StoredData, _options: argparse.Namespace) -> tuple[list[str], bool]:
    if data.rotation is None:
        return ["has no encrypted columns"], True
    done = await data.rotation.run()
    rewritten = sum(each.rewritten for each in done)
    if data.record is not None:
        async with data.database.transaction() as session:
            await data.record(session, f"{rewritten} rows rewritten")
    return [line for each in done for line in each.lines()], not any(each.left for each in done)


async def _status(data: StoredData, _options: argparse.Namespace) -> tuple[list[str], bool]:
    return (await data.rotation.status() if data.rotation else []) or ["has no encrypted rows"], True


async def _verify(data: StoredData, options: argparse.Namespace) -> tuple[list[str], bool]:
    if data.chain is None:
        return ["has no audit log"], True
    try:
        head = await data.chain.verify(data.database)
        async with data.database.read() as session:
            pruned = (await data.chain.read_start(session)).seq
    except ChainBrokenError as error:
        return [f"{data.chain.table.name} is broken: {error}"], False
    if head.seq < options.at_least:
        return [
            f"{data.chain.table.name} is broken: it ends at {head.seq}, but entry {options.at_least} existed"
        ], False
    kept = f"{head.seq - pruned} entries, none changed, missing or moved"
    last = f"the last is number {head.seq} and has the hash {head.row_hash}"
    return ["; ".join([kept, *([f"up to number {pruned} they were pruned"] if pruned else []), last])], True


async def _show(data: StoredData, options: argparse.Namespace) -> tuple[list[str], bool]:
    if data.chain is None:
        return ["has no audit log"], True
    async with data.database.read() as session:
        return await data.chain.lines_about(session, options.subject) or ["has no entries about it"], True
