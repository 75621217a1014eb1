"""``desk-expert``: the command line for a province's engineers."""

import argparse
import asyncio
import logging
import sys
from collections.abc import Sequence

from desk.expert_kit.errors import KitError, NotPossibleError

PASSED, FAILED, NOT_POSSIBLE = 0, 1, 2
PATIENCE_SECONDS = 15.0

_EXPLAINED = """\
Plays the desk before your own consumer: declares the queue of your province on a RabbitMQ of yours, sends the
contract's examples, duplicates, disorder, unknown and broken events, and reports what passes.

Your consumer is given, in its environment, BROKER_URL (this kit, which passes on to the broker), DESK_URL (files),
PROVINCE and PRIVATE_KEY (PEM, made for this run). With its command after -- it is started, killed and started again;
without, start it yourself with the values shown.

Use a broker for trials, never the real one: events of people who do not exist are sent."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line. The exit code is 0 if all checks pass, 1 if not, 2 if the consumer cannot be checked."""
    options = _parser().parse_args(arguments)
    for library in ("aio_pika", "aiormq"):  # their errors are reported below, in one line
        logging.getLogger(library).setLevel(logging.CRITICAL)
    try:
        sys.exit(PASSED if _check(options) else FAILED)
    except KitError as error:
        sys.stderr.write(f"desk-expert: {error}\n")
        sys.exit(NOT_POSSIBLE)


def _check(options: argparse.Namespace) -> bool:
    try:
        from desk.expert_kit.run import Options, run  # noqa: PLC0415 - it needs the dependencies of the kit
    except ImportError as error:
        raise NotPossibleError(f"{error.name} is missing: pip install desk-expert-kit") from None
    return asyncio.run(
        run(
            Options(options.broker, options.province, options.login, options.listen, options.patience, options.consumer)
        )
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="desk-expert", description="For provincial expert systems.")
    commands = parser.add_subparsers(dest="command", required=True)
    check = commands.add_parser(
        "check",
        help="try your consumer against the contract",
        description=_EXPLAINED,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    check.add_argument("--broker", required=True, help="amqp(s)://user:password@host:port/vhost; it declares queues")
    check.add_argument("--province", required=True, help="key of your province, such as isfahan")
    check.add_argument("--login", help="user:password your consumer logs in with (default: those of --broker)")
    check.add_argument("--listen", default="127.0.0.1:0", help="where your consumer connects (default: %(default)s)")
    check.add_argument("--patience", type=float, default=PATIENCE_SECONDS, help="seconds for anything (%(default)s)")
    check.add_argument("consumer", nargs="*", metavar="-- COMMAND", help="how your consumer is started")
    return parser


if __name__ == "__main__":
    main()
