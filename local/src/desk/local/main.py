"""``desk up``: starts the whole desk and prints its addresses."""

import argparse
import os
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

import uvicorn

from desk.iran.offices import OFFICES
from desk.local.app import create_app
from desk.local.gateway_table import CHECKOUT
from desk.local.keys import load_keys
from desk.local.office import ENVIRONMENT, DevelopedOffice
from desk.local.services import LocalSettings
from desk.registry_gateway.adapters.simulator import people
from desk.security.logs import configure_logging
from desk.testing.errors import ServerUnavailableError

OFFICE_FOLDER = "office"
"""The folder of an office's keys and settings, in the data folder."""
KEEP_ALIVE_SECONDS = 75
"""Longer than in any proxy, so that no connection is closed during a request."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line."""
    options = _parser().parse_args(arguments)
    _up(options)


def _up(options: argparse.Namespace) -> None:
    folder: Path = options.data_dir.resolve()
    if fault := _folder_fault(folder) or _port_fault(options.host, options.port):
        sys.exit(f"desk: {fault}")
    url = f"http://{options.host}:{options.port}"
    configure_logging("console", "INFO" if options.verbose else "WARNING")
    office = _start_office(options, folder, url) if options.amqp else None
    app = create_app(LocalSettings(folder, url, options.captcha_answer, office=office))
    _greet(url, folder, options.captcha_answer)
    if office is not None:
        _greet_developer(office, folder / OFFICE_FOLDER)
    # The server shuts down gracefully on SIGTERM and then raises the signal again; that is a normal exit.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    uvicorn.run(
        app,
        host=options.host,
        port=options.port,
        log_config=None,
        access_log=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=10,
    )


def _start_office(options: argparse.Namespace, folder: Path, url: str) -> DevelopedOffice:
    try:
        key = load_keys(folder).event_keys["tracking"]
        return DevelopedOffice.start(options.office, folder / OFFICE_FOLDER, url, key)
    except (ServerUnavailableError, OSError) as error:
        sys.exit(f"desk: no RabbitMQ for --amqp: {error}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="desk", description="The electronic service desk, for trying out.")
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="start the whole desk on embedded parts")
    up.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    up.add_argument("--port", type=_port, default=8080, help="port to listen on (default: %(default)s)")
    up.add_argument(
        "--data-dir", type=Path, default=CHECKOUT / ".desk", help="folder for the data (default: .desk in the checkout)"
    )
    up.add_argument(
        "--captcha-answer",
        type=_captcha_answer,
        help="use these five digits for every security code; for automated checks only",
    )
    up.add_argument(
        "--amqp",
        action="store_true",
        help="use a real RabbitMQ, so that the system of an office can be developed against the desk: the server of "
        "DESK_TEST_RABBITMQ_URL, a container, or the binary of this machine",
    )
    up.add_argument(
        "--office",
        default="isfahan",
        choices=sorted(each.key for each in OFFICES),
        metavar="KEY",
        help="with --amqp, the office that is being developed; all others have the demonstration's experts "
        "(default: %(default)s)",
    )
    up.add_argument("--verbose", action="store_true", help="log every request and event")
    return parser


def _port(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 65535:  # noqa: PLR2004 - TCP's range
        raise argparse.ArgumentTypeError("a port is a number from 1 to 65535")
    return int(text)


def _captcha_answer(text: str) -> str:
    if len(text) != 5 or not (text.isascii() and text.isdigit()):  # noqa: PLR2004 - a security code
        raise argparse.ArgumentTypeError("a security code has five digits, such as 12345")
    return text


def _folder_fault(folder: Path) -> str | None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        return f"cannot make the data folder {folder} ({error.strerror}); give another one with --data-dir"
    if not os.access(folder, os.W_OK | os.X_OK):
        return f"the data folder {folder} is not writable; give another one with --data-dir"
    return None


def _port_fault(host: str, port: int) -> str | None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return f"cannot listen on {host}:{port} ({error.strerror}); choose another port with --port"
    return None


def _greet(url: str, folder: Path, captcha_answer: str | None) -> None:
    living = [person.identity for person in people() if not person.deceased]
    lines = [
        "",
        "  میز خدمت الکترونیک — the service desk is starting",
        "",
        f"  applicants   {url}",
        f"  experts      {url}/demo/expert",
        f"  messages     {url}/demo/messages   (what would have been sent)",
        f"  people       {url}/demo/people   (all synthetic); two to try:",
        *(f"                 {each.national_id.value}   born {each.birth_date.isoformat()}" for each in living[:2]),
        "",
        f"  data         {folder}",
        "  stop         Ctrl-C",
        "",
    ]
    if captcha_answer is not None:
        lines.insert(2, f"  *** every security code is {captcha_answer}: for automated checks only ***")
    print("\n".join(lines), flush=True)  # noqa: T201 - the output of the command


def _greet_developer(office: DevelopedOffice, folder: Path) -> None:
    lines = [
        f"  office       {office.key}: {office.desk_url}/demo/office   (a request to try, and its reports)",
        f"  its settings set -a; . {folder / ENVIRONMENT}; set +a",
        "",
    ]
    print("\n".join(lines), flush=True)  # noqa: T201 - the output of the command


if __name__ == "__main__":
    main()
