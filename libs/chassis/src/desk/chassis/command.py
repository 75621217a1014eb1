"""The command line of every service: ``serve``, ``check``, ``migrate`` and the service's own tasks."""

import argparse
import asyncio
import signal
import sys
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias
from urllib.parse import urlsplit

import uvicorn
from fastapi import FastAPI
from pydantic import ValidationError
from pydantic_settings import SettingsError

from desk.chassis.checks import Checks, find_problems
from desk.chassis.serving import DRAIN_SECONDS, serve
from desk.chassis.settings import StoreSettings
from desk.chassis.storage import ObjectStoreUnavailableError
from desk.security.settings import fault_lines

HEALTH_OFFSET = 1000
KEEP_ALIVE_SECONDS = 75
"""Longer than the gateway keeps idle connections, so that none is closed while a request is sent."""
GRACE_SECONDS = 20
"""How long running requests may take to end when the service stops."""

_Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001 - its only name
Task = Callable[[], Coroutine[None, None, list[str]]]
"""Does one thing and returns a line for each change."""


@dataclass(frozen=True, slots=True)
class Service:
    """A service's command line. The callables read the environment when they are called."""

    name: str
    create_app: Callable[[], FastAPI]
    checks: Callable[[], Checks] | None = None
    """What ``check`` examines."""
    package: str | None = None
    """The package with migrations; None for a service without a database."""
    settings: Callable[[], StoreSettings] | None = None
    """Reads the settings that name its database."""
    tasks: Mapping[str, tuple[str, Task]] = field(default_factory=dict)
    """Additional commands: name (one or two words) to help line and task."""


class TaskFailedError(Exception):
    """A task failed; the message is printed as one line."""


def run(service: Service, arguments: Sequence[str] | None = None) -> None:
    """Run the command line. Each configuration error is printed in one line."""
    options = _parser(service).parse_args(arguments)
    try:
        match options.command:
            case "serve":
                _serve(service, options)
            case "check":
                _check(service, options.checks())
            case "migrate":
                _migrate(service)
            case _:
                _report(service, asyncio.run(options.task()))
    except ValidationError as error:
        prefix = _prefix(service)
        sys.exit("\n".join(f"desk-{service.name}: {fault}" for fault in fault_lines(error, prefix)))
    except (ObjectStoreUnavailableError, TaskFailedError, SettingsError) as error:
        sys.exit(f"desk-{service.name}: {error}")


def _parser(service: Service) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"desk-{service.name}")
    commands = parser.add_subparsers(dest="command", required=True)
    serving = commands.add_parser("serve", help="serve until stopped by a signal")
    serving.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    serving.add_argument("--port", type=int, default=8000, help="port to listen on (default: %(default)s)")
    serving.add_argument(
        "--health-host", default="127.0.0.1", help="address for health and metrics (default: %(default)s)"
    )
    serving.add_argument(
        "--health-port", type=int, help=f"port for health and metrics (default: that of --port plus {HEALTH_OFFSET})"
    )
    serving.add_argument(
        "--trusted-proxies",
        default="",
        help="addresses or networks, by commas, whose X-Forwarded-For is trusted (default: none)",
    )
    serving.add_argument(
        "--drain-seconds",
        type=float,
        default=DRAIN_SECONDS,
        help="how long to keep serving after SIGTERM, while no longer ready (default: %(default)s)",
    )
    if service.checks is not None:
        commands.add_parser(
            "check", help="examine the settings and everything they name; print a line for each problem"
        ).set_defaults(checks=service.checks)
    if service.package is not None:
        commands.add_parser("migrate", help="migrate the database to the newest schema")
    _add_tasks(commands, service.tasks)
    return parser


def _add_tasks(commands: _Commands, tasks: Mapping[str, tuple[str, Task]]) -> None:
    groups: dict[str, _Commands] = {}
    for name, (text, task) in tasks.items():
        first, _, second = name.partition(" ")
        if second and first not in groups:
            groups[first] = commands.add_parser(first).add_subparsers(dest="subcommand", required=True)
        into = groups[first] if second else commands
        into.add_parser(second or first, help=text).set_defaults(task=task)


def _serve(service: Service, options: argparse.Namespace) -> None:
    app = service.create_app()
    # The server shuts down on SIGTERM and then raises the signal again; the process must still exit with 0.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    config = uvicorn.Config(
        app,
        host=options.host,
        port=options.port,
        http="httptools",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(options.trusted_proxies),
        forwarded_allow_ips=options.trusted_proxies or None,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    health = uvicorn.Config(
        app.state.health,
        host=options.health_host,
        port=options.health_port if options.health_port is not None else options.port + HEALTH_OFFSET,
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="off",
    )
    serve(app, config, options.drain_seconds, health)


def _check(service: Service, checks: Checks) -> None:
    problems = asyncio.run(find_problems(checks))
    if problems:
        prefix = _prefix(service)
        sys.exit("\n".join(f"desk-{service.name}: {prefix}{name}: {reason}" for name, reason in problems.items()))
    _report(service, [f"the settings are valid, and all of these answer: {', '.join(checks)}"])


def _prefix(service: Service) -> str:
    return f"DESK_{service.name.upper().replace('-', '_')}_"


def _migrate(service: Service) -> None:
    if service.package is None or service.settings is None:
        raise ValueError(f"{service.name} has no database")
    # Imported here, because a service without a database must not pay for it.
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415

    from desk.database import migrate  # noqa: PLC0415

    settings = service.settings()
    serving, owner = settings.database_url.get_secret_value(), settings.owner_database_url
    try:
        if owner is None:
            asyncio.run(migrate(service.package, serving))
        else:
            asyncio.run(migrate(service.package, owner.get_secret_value(), serve_as=urlsplit(serving).username))
    except (SQLAlchemyError, OSError) as error:
        sys.exit(f"desk-{service.name}: the database refuses or is unreachable: {_first_line(error)}")
    _report(service, [])


def _report(service: Service, changed: Sequence[str]) -> None:
    for line in changed or ["nothing left to do"]:
        print(f"desk-{service.name}: {line}")  # noqa: T201 - the command's output


def _first_line(error: Exception) -> str:
    return str(error.__cause__ or error).partition("\n")[0]
