"""The command line: ``desk-console serve``, ``migrate``, ``create-account`` and ``new-key``."""

import argparse
import asyncio
import logging
import signal
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

import uvicorn
from pydantic import ValidationError
from pydantic_settings import SettingsError
from sqlalchemy.exc import SQLAlchemyError

from desk.console.app import create_app
from desk.console.domain.accounts import Role
from desk.console.domain.errors import ConsoleError
from desk.console.encryption import Encryption, new_key
from desk.console.service.supervision import Supervision
from desk.console.settings import Settings
from desk.database import Database, migrate
from desk.iran.offices import OFFICES
from desk.security.logs import configure_logging
from desk.security.settings import fault_lines

KEEP_ALIVE_SECONDS, GRACE_SECONDS = 75, 20


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line. Each error of the configuration is reported in one line."""
    options = _parser().parse_args(arguments)
    try:
        match options.command:
            case "serve":
                _serve(options)
            case "migrate":
                asyncio.run(migrate("desk.console", Settings().database_url.get_secret_value()))
                _print("the database is at the newest schema")
            case "create-account":
                _print(asyncio.run(_create_account(options)))
            case _:
                _print(new_key())
    except ValidationError as error:
        sys.exit("\n".join(f"desk-console: {fault}" for fault in fault_lines(error, "DESK_CONSOLE_")))
    except SettingsError as error:
        sys.exit(f"desk-console: {error}")
    except ConsoleError as error:
        sys.exit(f"desk-console: {error.title}")
    except (SQLAlchemyError, OSError) as error:
        reason = str(error.__cause__ or error).partition("\n")[0]
        sys.exit(f"desk-console: the database is unavailable or has no schema: {reason}; run desk-console migrate")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="desk-console", description="The experts' console of the service desk.")
    commands = parser.add_subparsers(dest="command", required=True)
    serving = commands.add_parser("serve", help="serve until stopped")
    serving.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    serving.add_argument("--port", type=int, default=8000, help="port to listen on (default: %(default)s)")
    serving.add_argument(
        "--trusted-proxies",
        default="",
        help="addresses or networks, separated by commas, whose X-Forwarded-For is trusted",
    )
    commands.add_parser("migrate", help="bring the database to the newest schema")
    commands.add_parser("new-key", help="make a key for DESK_CONSOLE_KEYS")
    creating = commands.add_parser("create-account", help="add an account, and print its first password")
    creating.add_argument("username", help="small Latin letters, digits, dots")
    creating.add_argument("--province", required=True, choices=[each.key for each in OFFICES], metavar="KEY")
    creating.add_argument("--name", required=True, help="the person's name")
    creating.add_argument("--role", choices=[role.value for role in Role], default=Role.SUPERVISOR.value)
    return parser


def _serve(options: argparse.Namespace) -> None:
    configure_logging()
    logging.getLogger("aiormq").setLevel(logging.CRITICAL)
    app = create_app()
    # The server shuts down in order on SIGTERM and then raises the signal again; that is an orderly end.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    uvicorn.run(
        app,
        host=options.host,
        port=options.port,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(options.trusted_proxies),
        forwarded_allow_ips=options.trusted_proxies or None,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )


async def _create_account(options: argparse.Namespace) -> str:
    settings = Settings()
    database = Database(settings.database_url.get_secret_value())
    supervision = Supervision(
        database, Encryption.from_text(settings.keys.get_secret_value()), lambda: datetime.now(UTC)
    )
    try:
        password = await supervision.add_account(
            options.province, options.username, options.name, Role(options.role), by=None
        )
    finally:
        await database.close()
    hours = settings.first_password_hours
    return f"first password, valid for {hours} hours, to be changed at the first sign-in: {password}"


def _print(text: str) -> None:
    print(text)  # noqa: T201 - the output of the command


if __name__ == "__main__":
    main()
