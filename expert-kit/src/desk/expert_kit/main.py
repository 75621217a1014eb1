"""The command line ``desk-expert``, for the engineers of a province."""

import argparse
import asyncio
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from desk.expert_kit.errors import KitError, NotPossibleError
from desk.expert_kit.keys import make_keys

PASSED, FAILED, NOT_POSSIBLE = 0, 1, 2
PATIENCE_SECONDS = 15.0

_EXPLAINED = """\
Takes the role of the desk for your consumer: declares the queue of your province on your RabbitMQ, sends the
contract's examples, duplicates, events in another order, unknown and invalid events, and prints the results.

Your consumer gets, in its environment, BROKER_URL (this tool, which forwards to the broker), DESK_URL (files, and the
desk's keys for reports), PROVINCE, and three keys (PEM) that are made for this run: PRIVATE_KEY signs requests for
files; EVENT_PRIVATE_KEY and FORMER_EVENT_PRIVATE_KEY read events, as while an office replaces its key. With its command
after -- it is started, killed and restarted; without, start it yourself with the printed values.

Use a broker for tests, never the real one: the events are about synthetic people."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; the exit code is 0 if all passes, 1 if not, 2 if no check could run."""
    options = _parser().parse_args(arguments)
    for library in ("aio_pika", "aiormq"):  # their errors are printed below, in one line
        logging.getLogger(library).setLevel(logging.CRITICAL)
    try:
        sys.exit(PASSED if options.run(options) else FAILED)
    except KitError as error:
        sys.stderr.write(f"desk-expert: {error}\n")
        sys.exit(NOT_POSSIBLE)


def _check(options: argparse.Namespace) -> bool:
    try:
        from desk.expert_kit.run import Options, run  # noqa: PLC0415 - a missing library is reported in one line
    except ImportError as error:
        raise NotPossibleError(
            f"the library {error.name} is missing: install the kit's wheel with its dependencies"
        ) from None
    return asyncio.run(
        run(
            Options(
                options.broker,
                options.province,
                options.login,
                options.listen,
                options.patience,
                options.curve,
                options.consumer,
            )
        )
    )


def _make_keys(options: argparse.Namespace) -> bool:
    sys.stdout.write(make_keys(options.folder, options.curve, again=options.rotate))
    return True


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="desk-expert", description="For the expert systems of provinces.")
    commands = parser.add_subparsers(dest="command", required=True)
    check = commands.add_parser(
        "check",
        help="check your consumer against the contract",
        description=_EXPLAINED,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    check.add_argument("--broker", required=True, help="amqp(s)://user:password@host:port/vhost; it declares queues")
    check.add_argument("--province", required=True, help="key of your province, such as isfahan")
    check.add_argument("--login", help="user:password of your consumer (default: those of --broker)")
    check.add_argument("--listen", default="127.0.0.1:0", help="where your consumer connects (default: %(default)s)")
    check.add_argument(
        "--patience", type=float, default=PATIENCE_SECONDS, help="seconds for each reaction (default: %(default)s)"
    )
    check.add_argument(
        "--curve", choices=("X25519", "P-256"), default="X25519", help="of your key for events (default: %(default)s)"
    )
    check.add_argument("consumer", nargs="*", metavar="-- COMMAND", help="the command that starts your consumer")
    check.set_defaults(run=_check)
    keys = commands.add_parser("keys", help="make your office's key pairs, and say what to send and what to keep")
    keys.add_argument("folder", type=Path, help="where the keys are written, such as ./keys")
    keys.add_argument("--rotate", action="store_true", help="replace the key for events, and keep the former one")
    keys.add_argument(
        "--curve", choices=("X25519", "P-256"), default="X25519", help="of the key for events (default: %(default)s)"
    )
    keys.set_defaults(run=_make_keys)
    return parser


if __name__ == "__main__":
    main()
