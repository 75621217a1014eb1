"""The command line for erasures: ``desk-privacy`` with a command."""

import argparse
import asyncio
import csv
import getpass
import io
import json
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from datetime import datetime
from typing import Any

from pydantic import ValidationError
from sqlalchemy.exc import SQLAlchemyError
from stdnum import damm

from desk.chassis.command import TaskFailedError
from desk.chassis.problem import ServiceUnavailableError
from desk.iran.digits import clean_number
from desk.security.logs import configure_logging
from desk.security.settings import fault_lines
from desk.tracking.app import build_context, build_erasures, real_parts
from desk.tracking.domain import ON_DEMAND, Certificate, ErasingParty, ErasureReason, published
from desk.tracking.service import Erasures
from desk.tracking.settings import Settings

COLUMNS = ("month", "province", "subject", "sub_subject", "state", "requests", "average_days")
_NAME = "desk-privacy"
_UNKNOWN = (
    "tracking has no request with this code: compare it with the demand. If it is right, the request has not arrived "
    "yet or was lost here: repeat the command with --unknown"
)
_ACTOR_LENGTH = 60
CODE_DIGITS = 12


async def erase(erasures: Erasures, options: argparse.Namespace) -> str:
    """Erase a request and return its certificate; a repeat returns the same one. Raises TaskFailedError."""
    reason = ErasureReason(options.reason)
    certificate = await erasures.erase(options.code, reason, _actor(options), even_unknown=options.unknown)
    return _described(certificate, _UNKNOWN)


async def show_certificate(erasures: Erasures, options: argparse.Namespace) -> str:
    """Return the certificate of an erased request as JSON. Raises TaskFailedError."""
    return _described(await erasures.certificate(options.code), "no request with this code was erased")


async def list_pending(erasures: Erasures, _options: argparse.Namespace) -> str:
    """Return the erasures that a service or office has not acknowledged, as JSON."""
    return _text([_document(each) for each in await erasures.pending()])


async def repeat(erasures: Erasures, options: argparse.Namespace) -> str:
    """Erase again what a restored backup brought back; return the codes as JSON."""
    return _text(await erasures.repeat(_actor(options)))


async def print_statistics(erasures: Erasures, _options: argparse.Namespace) -> str:
    """Return the figures about erased requests as CSV, with small counts suppressed."""
    table = io.StringIO()
    csv.writer(table, lineterminator="\n").writerows([COLUMNS, *published(await erasures.figures())])
    return table.getvalue().rstrip("\n")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command. Each error is printed in one line."""
    options = _parser().parse_args(arguments)
    try:
        print(asyncio.run(_run(options.run, options)))  # noqa: T201 - the command's output
    except ValidationError as error:
        sys.exit("\n".join(f"{_NAME}: {fault}" for fault in fault_lines(error, "DESK_TRACKING_")))
    except TaskFailedError as error:
        sys.exit(f"{_NAME}: {error}")
    except ServiceUnavailableError:
        sys.exit(
            f"{_NAME}: intake or the object store is unavailable: an erasure is listed there first; try again later"
        )
    except (SQLAlchemyError, OSError) as error:
        sys.exit(f"{_NAME}: the database refuses or is unreachable: {type(error).__name__}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=_NAME)
    commands = parser.add_subparsers(required=True)
    erasing = commands.add_parser("erase", help="erase a request everywhere, and print the certificate")
    erasing.add_argument("code", metavar="CODE", type=_code, help="the tracking code")
    erasing.add_argument("--reason", required=True, choices=[each.value for each in ON_DEMAND])
    erasing.add_argument("--unknown", action="store_true", help="also a code that tracking does not know")
    _add_operator(erasing)
    erasing.set_defaults(run=erase)
    certificate = commands.add_parser("certificate", help="print the certificate of an erased request")
    certificate.add_argument("code", metavar="CODE", type=_code, help="the tracking code")
    certificate.set_defaults(run=show_certificate)
    pending = commands.add_parser("pending", help="list erasures that are not acknowledged by all")
    pending.set_defaults(run=list_pending)
    repeating = commands.add_parser("repeat", help="after a restore: erase again what the backup brought back")
    _add_operator(repeating)
    repeating.set_defaults(run=repeat)
    statistics = commands.add_parser("statistics", help="print figures about erased requests as CSV")
    statistics.set_defaults(run=print_statistics)
    return parser


def _add_operator(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--by", metavar="NAME", type=_name, help="your name, for the audit log; else the system's user"
    )


def _code(text: str) -> str:
    """Return a tracking code with Latin digits. Raises ArgumentTypeError."""
    code = clean_number(text)
    if len(code) != CODE_DIGITS or not damm.is_valid(code):
        raise argparse.ArgumentTypeError("not a tracking code: its check digit or its length is wrong")
    return code


def _name(text: str) -> str:
    if not 1 <= len(text) <= _ACTOR_LENGTH:
        raise argparse.ArgumentTypeError(f"a name has 1 to {_ACTOR_LENGTH} characters")
    return text


def _actor(options: argparse.Namespace) -> str:
    """Return the actor of the audit entry. Raises TaskFailedError if the system's user has no name."""
    try:
        return f"operator {options.by or getpass.getuser()}"
    except (KeyError, OSError):
        raise TaskFailedError("say who you are: --by NAME") from None


async def _run(command: Callable[[Erasures, argparse.Namespace], Awaitable[str]], options: argparse.Namespace) -> str:
    settings = Settings()
    configure_logging(settings.log_style, settings.log_level)
    parts = real_parts(settings)
    async with AsyncExitStack() as stack:
        for close in (*reversed(parts.close), parts.database.close):
            stack.push_async_callback(close)
        return await command(build_erasures(settings, parts, build_context(settings, parts)), options)


def _described(certificate: Certificate | None, missing: str) -> str:
    if certificate is None:
        raise TaskFailedError(missing)
    return _text(_document(certificate))


def _document(certificate: Certificate) -> dict[str, Any]:
    return {
        "certificate_id": certificate.id,
        "tracking_code": certificate.tracking_code,
        "reason": certificate.reason.value,
        "requested_at": _iso(certificate.requested_at),
        "erased_at": _iso(certificate.erased_at),
        "erased": {"tracking": dict(certificate.removed)},
        "asked": [_party(each) for each in certificate.parties],
        "complete": certificate.complete,
    }


def _party(party: ErasingParty) -> dict[str, Any]:
    described: dict[str, Any] = {"name": party.name, "asked_at": _iso(party.asked_at)}
    if party.informed_only:
        return described | {"informed_only": True}
    acknowledged = _iso(party.acknowledged_at) if party.acknowledged_at is not None else None
    return described | {"acknowledged_at": acknowledged, "removed": dict(party.removed)}


def _iso(at: datetime) -> str:
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")


def _text(document: object) -> str:
    return json.dumps(document, ensure_ascii=False, indent=1)
